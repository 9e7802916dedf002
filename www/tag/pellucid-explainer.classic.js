// The tag as a classic script, for sites whose generator knows no modules: `<script src="pellucid-explainer.classic.js">`.

import { define } from './element.js';

const script = /** @type {HTMLScriptElement | null} */ (globalThis.document?.currentScript ?? globalThis.document?.querySelector('script[src*="pellucid-explainer.classic"]'));

if (script) {
  const api = new URL('../api/pellucid.js', script.src).href;
  define(() => import(api));
}
