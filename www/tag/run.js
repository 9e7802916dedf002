// A run of the tag: the classes and the maps of one picture, drawn.

/** @import { ClassScore, Display, Drawing, Explainer, Explanation, MethodId, Setting } from '../api/pellucid' */
/** @import { Look, Panel, Shown } from './types' */

import { comparedFrom } from './attributes.js';
import { nameOf } from './maps.js';

/** How many classes are listed. */
const LISTED = 5;

/**
 * @typedef {object} TagQuestion
 * @property {string} method
 * @property {number | string | null} target
 * @property {string | null} versus
 * @property {string | null} layer
 * @property {'logit' | 'probability' | null} score
 * @property {number} seed
 * @property {Record<string, Setting>} parameters
 * @property {string | null} compare
 */

/**
 * @typedef {object} Watch
 * @property {AbortSignal} signal
 * @property {(classes: ClassScore[]) => void} onClasses
 * @property {(done: number, total: number) => void} onProgress
 * @property {(panels: Panel[]) => void} onPartial
 */

/**
 * Asks for what the tag shows.
 * @param {Explainer} explainer
 * @param {Blob} picture
 * @param {TagQuestion} asked
 * @param {Look} look
 * @param {Watch} watch
 * @returns {Promise<{ shown: Shown, explanations: Explanation[] }>}
 */
export async function run(explainer, picture, asked, look, watch) {
  const { signal } = watch;
  const { classes } = await explainer.classify(picture, { signal });
  watch.onClasses(classes.slice(0, LISTED));
  const explanations = await explained(explainer, picture, asked, look, watch);
  const panels = await panelsOf(explainer, explanations, look, signal);
  const [first] = explanations;
  const listed = classes.filter(({ index }, i) => i < LISTED || index === first.target.index);
  const notes = [...new Set(explanations.flatMap((explanation) => explanation.notes))];
  return { shown: { panels, classes: listed, target: first.target.index, made: madeOf(explainer, explanations), notes }, explanations };
}

/**
 * The maps of what was explained, drawn.
 * @param {Explainer} explainer
 * @param {Explanation[]} explanations
 * @param {Look} look
 * @param {AbortSignal} signal
 */
export async function panelsOf(explainer, explanations, look, signal) {
  const shared = explanations.length === 1 && explanations[0].targets.length > 1;
  /** @type {Panel[]} */
  const panels = [];
  for (const explanation of explanations) {
    const name = explanations.length > 1 ? labelOf(explainer, explanation.method) : titleOf(explainer, explanation);
    for (const map of explanation.targets) {
      const title = shared ? map.target.label : name;
      panels.push(await panelOf(explainer, map, { look, title, shared, signal, unit: map.unit }));
    }
  }
  return panels;
}

/**
 * @param {Explainer} explainer
 * @param {Blob} picture
 * @param {TagQuestion} asked
 * @param {Look} look
 * @param {Watch} watch
 */
async function explained(explainer, picture, { compare, method, target, parameters, ...question }, look, { signal, onProgress, onPartial }) {
  const compared = comparedFrom(compare, explainer.methods());
  const methods = compared && 'methods' in compared ? compared.methods : [method];
  const classes = compared && 'classes' in compared ? compared.classes : target;
  let isDrawing = false;
  /** @param {object} map */
  const partial = async (map) => {
    if (isDrawing || methods.length > 1) return;
    isDrawing = true;
    try {
      const panel = await panelOf(explainer, map, { look, title: labelOf(explainer, method), shared: false, signal, unit: '' });
      if (isDrawing) onPartial([panel]);
    } catch {
      // The run says what is wrong, or the map is there by now.
    }
    isDrawing = false;
  };
  /** @type {Explanation[]} */
  const all = [];
  for (const [i, id] of methods.entries()) {
    const spec = explainer.methods().find((each) => each.id === id);
    all.push(
      await explainer.explain(picture, {
        ...question,
        method: /** @type {MethodId} */ (id),
        target: classes,
        versus: spec?.contrasts || methods.length === 1 ? question.versus : null,
        layer: spec?.layer !== 'none' || methods.length === 1 ? question.layer : null,
        // They are those of the method that is named.
        parameters: id === method ? /** @type {{}} */ (parameters) : {},
        signal,
        onProgress({ done, total, maps }) {
          onProgress(i + (total ? done / total : 0), methods.length);
          if (maps?.length === 1) partial(maps[0]);
        },
      }),
    );
  }
  isDrawing = false;
  return all;
}

/**
 * A map as two pictures, between which the opacity chooses: what is drawn is linear in it.
 * @param {Explainer} explainer
 * @param {object} map
 * @param {{ look: Look, title: string, shared: boolean, signal: AbortSignal, unit: string }} options
 * @returns {Promise<Panel>}
 */
async function panelOf(explainer, map, { look, title, shared, signal, unit }) {
  const display = displayOf(explainer, map, look);
  const draw = (/** @type {number} */ opacity) => explainer.draw(map, { ...display, opacity }, { shared, signal });
  const [over, under] = await Promise.all([draw(1), draw(0)]);
  return { title, over, under, opacity: display.opacity ?? 1, unit, signed: over.scale.low < 0, ...legendOf(over) };
}

/** @param {Drawing} drawing */
const legendOf = ({ legend, ticks, notice }) => ({ legend, ticks, notice });

/**
 * @param {Explainer} explainer
 * @param {object} map
 * @param {Look} look
 * @returns {Display}
 */
function displayOf(explainer, map, { colours, opacity }) {
  const suited = explainer.displayOf(map);
  const chosen = explainer.colours().find(({ id }) => id === colours);
  /** @type {Display} */
  const own = colours ? { colours, blend: chosen?.diverging ? 'alpha-by-magnitude' : 'overlay' } : {};
  return { ...suited, ...own, ...(opacity === null ? {} : { opacity }) };
}

/**
 * @param {Explainer} explainer
 * @param {string} method
 */
const labelOf = (explainer, method) => explainer.methods().find(({ id }) => id === method)?.label ?? method;

/**
 * @param {Explainer} explainer
 * @param {Explanation} explanation
 */
function titleOf(explainer, { method, target, versus }) {
  return nameOf(labelOf(explainer, method), [target], versus);
}

/**
 * How it was made, in a line.
 * @param {Explainer} explainer
 * @param {Explanation[]} explanations
 */
function madeOf(explainer, explanations) {
  const [first] = explanations;
  const what = explanations.length > 1 ? `${explanations.length} methods for “${first.target.label}”` : titleOf(explainer, first);
  const elapsed = explanations.reduce((sum, { elapsed_ms }) => sum + elapsed_ms, 0);
  const time = elapsed < 1000 ? `${Math.round(elapsed)} ms` : `${(elapsed / 1000).toFixed(1)} s`;
  return `${what}, ${time} on the ${first.backend.toUpperCase()}, in this page`;
}
