import DefaultTheme from 'vitepress/theme';
import 'pellucid/explainer';

export default DefaultTheme;
