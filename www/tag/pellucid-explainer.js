// The tag as a module: `<script type="module" src="pellucid-explainer.js">`, or an import for its side effect.

import { define } from './element.js';

export { PellucidExplainer } from './element.js';

define(() => import('../api/pellucid.js'));
