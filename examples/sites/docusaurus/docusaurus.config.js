/** @type {import('@docusaurus/types').Config} */
const config = {
  title: 'Pellucid in Docusaurus',
  url: 'http://127.0.0.1',
  baseUrl: '/',
  onBrokenLinks: 'throw',
  clientModules: [require.resolve('./src/explainer.js')],
  presets: [['classic', { docs: { routeBasePath: '/', sidebarPath: undefined }, blog: false }]],
  themeConfig: { colorMode: { respectPrefersColorScheme: true } },
};
module.exports = config;
