import 'pellucid/explainer';
