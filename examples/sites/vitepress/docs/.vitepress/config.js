export default {
  title: 'Pellucid in VitePress',
  vue: { template: { compilerOptions: { isCustomElement: (tag) => tag === 'pellucid-explainer' } } },
  vite: { optimizeDeps: { exclude: ['pellucid'] } },
  themeConfig: { sidebar: [{ text: 'Saliency', link: '/guide/saliency' }] },
};
