// What is asked of the engine, from what the reader has chosen.

/** How many of the best classes stand side by side until the reader chooses. */
const BESIDE = 4;

export const methodOf = ({ methods, method }) => methods.find(({ id }) => id === method);
export const labelOf = ({ info }, index) => namesOf(info.model)[index] ?? `class ${index}`;

const names = new WeakMap();

/** The labels of a model, with the index where several classes have one name. */
function namesOf(model) {
  if (!names.has(model)) {
    const counts = new Map();
    for (const label of model.labels) counts.set(label, (counts.get(label) ?? 0) + 1);
    names.set(model, model.labels.map((label, index) => (counts.get(label) > 1 ? `${label} (class ${index})` : label)));
  }
  return names.get(model);
}

/** The class that the target is held against: another one, or null. */
export const versusOf = ({ versus, target }) => (versus === target?.index ? null : versus);

/** The classes to explain in one run, the most probable first: the chosen one, and those beside it. */
export function targetsOf(state) {
  const { target, classes, beside, besideClasses } = state;
  const versus = versusOf(state);
  if (!target || beside !== 'classes' || !classes) return target ? [target.index] : [];
  const all = classes.classes.map(({ index }) => index);
  const wanted = [...(besideClasses ?? all.slice(0, BESIDE)), target.index];
  return all.filter((index) => wanted.includes(index) && index !== versus);
}

/** The question of the chosen method and settings, or null while there is nothing to ask. */
export function questionOf(state) {
  const { method, score, crop, opening, files } = state;
  const versus = versusOf(state);
  const parameters = state.parameters[method] ?? {};
  const targets = targetsOf(state);
  const spec = methodOf(state);
  if (!targets.length || !spec || !crop || opening) return null;
  return {
    method,
    targets,
    versus: spec.contrasts ? versus : null,
    layer: { needed: state.layer, optional: state.inner }[spec.layer] ?? null,
    // Without probabilities the engine explains the score, and says so.
    score: state.info.model.head === 'none' ? null : (score ?? spec.default_score),
    parameters,
    seed: 0,
    files: { background: spec.background && files.background, baseline: parameters.baseline === 'image' && files.baseline },
  };
}

/** The question of a method that stands beside the chosen one: as it is by itself, for the same class. */
export const plainQuestion = (state, method) => questionOf({ ...state, method, layer: null, inner: null, score: null, parameters: {}, beside: null });

export const sameQuestion = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** The report of one of a run's targets, as if it had been explained alone. */
export function reportOf(report, k) {
  if (!report) return report;
  const { targets, ...shared } = report;
  return { ...shared, ...targets?.[k] };
}
