// The state of the page: every key with its initial value, in groups by what clears it. A key stands in one group only,
// so that whoever adds one decides how long it lasts. types.d.ts says what each is.

/** @import { Lasting, PerEngine, PerModel, PerPicture, State } from '../types' */

/**
 * Lasting state: the page itself, and the reader's choices for whatever comes.
 * @type {Lasting}
 */
const lasting = {
  view: 'welcome',
  engine: 'loading',
  loading: null,
  info: null,
  methods: [],
  colourMaps: [],
  tutorial: null,
  coming: null,
  picture: null,
  opening: false,
  openingModel: false,
  method: null,
  score: null,
  parameters: {},
  files: {},
  compare: null,
  comparedMethods: ['grad-cam', 'saliency', 'integrated-gradients', 'occlusion'],
  display: {},
  pictureOnly: false,
  dialog: null,
  keptModels: [],
  keeping: false,
  offline: 'no',
};

/**
 * State of the model: another one clears it.
 * @type {PerModel}
 */
const perModel = {
  layer: null,
  optionalLayer: null,
  keptId: null,
  lock: null,
  run: { status: 'idle' },
};

/**
 * State of a picture as the model sees it: another picture clears it, and another model.
 * @type {PerPicture}
 */
const perPicture = {
  crop: null,
  classes: null,
  target: null,
  versus: null,
  comparedClasses: null,
  trial: null,
  frame: null,
  values: null,
};

/**
 * Names of things in the engine's memory: another picture, another model and a restart clear it.
 * @type {PerEngine}
 */
const perEngine = {
  panels: [],
  whatIf: null,
};

export const STATE_GROUPS = { lasting, perModel, perPicture, perEngine };

/** @returns {State} */
export const initialState = () => ({ ...lasting, ...perModel, ...perPicture, ...perEngine });

/** Keys that a restart of the engine clears, where model and picture are there again. */
export const clearedByRestart = () => ({ ...perEngine });

/** Keys that another picture clears. */
export const clearedByPicture = () => ({ ...perPicture, ...clearedByRestart() });

/** Keys that another model clears, before it has seen the picture. */
export const clearedByModel = () => ({ ...perModel, ...clearedByPicture() });
