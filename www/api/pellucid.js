// The module that hosts import: `import { Explainer } from './pellucid.js'`.

export { PellucidError } from './errors.js';
export { Explainer } from './explainer.js';
