// The question to the engine, from what the reader has chosen.

/** @import { ExplainOptions, Explanation, Model } from '../../api/pellucid' */
/** @import { Question, Result, State } from '../types' */

/** How many of the best classes stand side by side until the reader chooses. */
const COMPARED = 4;

/** @param {Pick<State, 'methods' | 'method'>} state */
export const methodOf = ({ methods, method }) => methods.find(({ id }) => id === method);

/**
 * The name of the layer that the method looks at: the one that is chosen, or the model's own. Null is the picture.
 * @param {Pick<State, 'methods' | 'method' | 'layer' | 'optionalLayer' | 'info'>} state
 */
export const layerOf = (state) =>
  methodOf(state)?.layer === 'needed' ? (state.layer ?? state.info?.model.default_layer ?? null) : state.optionalLayer;

/**
 * The name of a class. There are classes only where a model is open.
 * @param {State} state
 * @param {number} index
 */
export const labelOf = ({ info }, index) => (info && namesOf(info.model)[index]) ?? `class ${index}`;

/** @type {WeakMap<Model, string[]>} */
const names = new WeakMap();

/**
 * The labels of a model, with the index where several classes have one name.
 * @param {Model} model
 */
function namesOf(model) {
  const known = names.get(model);
  if (known) return known;
  const counts = new Map();
  for (const label of model.labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const made = model.labels.map((label, index) => (counts.get(label) > 1 ? `${label} (class ${index})` : label));
  names.set(model, made);
  return made;
}

/**
 * The class that the target is held against: another one, or null.
 * @param {State} state
 */
export const versusOf = ({ versus, target }) => (versus === target?.index ? null : versus);

/**
 * The classes to explain in one run, the most probable first: the chosen one, and those that it is compared with.
 * @param {State} state
 */
export function targetsOf(state) {
  const { target, classes, compare, comparedClasses } = state;
  const versus = versusOf(state);
  if (!target || compare !== 'classes' || !classes) return target ? [target.index] : [];
  const all = classes.classes.map(({ index }) => index);
  const wanted = [...(comparedClasses ?? all.slice(0, COMPARED)), target.index];
  return all.filter((index) => wanted.includes(index) && index !== versus);
}

/**
 * The question of the chosen method and settings, or null while there is nothing to ask.
 * @param {State} state
 * @returns {Question | null}
 */
export function questionOf(state) {
  const { score, crop, opening, files, info } = state;
  const versus = versusOf(state);
  const targets = targetsOf(state);
  const spec = methodOf(state);
  if (!targets.length || !spec || !crop || opening || !info) return null;
  const parameters = state.parameters[spec.id] ?? {};
  return {
    method: spec.id,
    targets,
    versus: spec.contrasts ? versus : null,
    layer: { needed: state.layer, optional: state.optionalLayer, none: null }[spec.layer],
    // Without probabilities the engine explains the score, and says so.
    score: info.model.head === 'none' ? null : (score ?? spec.default_score),
    parameters,
    seed: 0,
    files: { background: spec.background && files.background, baseline: parameters.baseline === 'image' && files.baseline },
  };
}

/**
 * The question of a method that is compared with the chosen one: as it is by itself, for the same class.
 * @param {State} state
 * @param {string} method
 */
export const plainQuestion = (state, method) =>
  questionOf({ ...state, method, layer: null, optionalLayer: null, score: null, parameters: {}, compare: null });

/**
 * @param {Question | null | undefined} a
 * @param {Question | null | undefined} b
 */
export const sameQuestion = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/**
 * A question as the API takes it.
 * @param {Question} question
 * @returns {ExplainOptions}
 */
export function askedOf({ targets, files, method, parameters, ...asked }) {
  const { background, baseline } = files;
  return /** @type {ExplainOptions} */ ({
    ...asked,
    method,
    parameters,
    target: targets,
    ...(background && { background: background.blobs }),
    ...(baseline && { baseline: baseline.blobs[0] }),
  });
}

/**
 * The picture that is shown. Whoever asks for it has seen that there is one.
 * @param {State} state
 */
export const pictureOf = ({ picture }) => /** @type {NonNullable<State['picture']>} */ (picture).blob;

/**
 * The report of one of a run's targets, as if it had been explained alone, without its numbers.
 * @param {Explanation} report
 * @param {number} k
 * @returns {Result}
 */
export function reportOf({ targets, ...report }, k) {
  const { values, ...result } = { ...report, ...targets[k] };
  return result;
}
