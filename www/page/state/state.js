// The state of the page: every key with its initial value, in groups by what clears it. A key stands in one group only,
// so that whoever adds one decides here how long it lasts.

/** What lasts: the page itself, and what the reader has chosen for whatever comes. */
const lasting = {
  view: 'welcome', // or 'work'
  engine: 'loading', // 'ready' or 'dead'
  loading: null, // what the worker says while it starts
  info: null, // backend and model
  methods: [],
  colourMaps: [],
  tutorial: null, // the display options of Keras's Grad-CAM example
  coming: null, // a picture's file that the engine has not read yet
  picture: null, // the file that crop is of
  opening: false,
  openingModel: false,
  method: null,
  score: null, // null is the method's default
  parameters: {}, // by method, only what was changed
  files: {}, // background, baseline: the reader's own: { turn, blobs }
  beside: null, // what stands side by side: 'classes' or 'methods'
  besideMethods: ['grad-cam', 'saliency', 'integrated-gradients', 'occlusion'],
  display: {}, // only what was changed; the rest is the method's default
  comparing: false,
  dialog: null,
};

/** What belongs to the model: another one clears it. */
const perModel = {
  layer: null, // null is the model's default
  inner: null, // the same for methods that can do without: null is the picture
  lock: null, // a scale that stays: { scale, unit, of }
  run: { status: 'idle' }, // of the picture before too, whose figures stay until there are others
};

/** What belongs to a picture as the model sees it: another picture clears it, and another model. */
const perPicture = {
  crop: null, // the picture as the network sees it
  classes: null,
  target: null,
  versus: null, // the class that the target is held against
  besideClasses: null, // their indices, once chosen
  frame: null,
  values: null,
};

/** What names something in the engine's memory: another picture, another model and a restart clear it. */
const perEngine = {
  panels: [], // the methods' runs: { method, asked, status, report }
  whatIf: null, // while the reader hides parts: the segments, which are hidden, and the scores then
};

export const STATE_GROUPS = { lasting, perModel, perPicture, perEngine };

export const initialState = () => ({ ...lasting, ...perModel, ...perPicture, ...perEngine });

/** What a restart of the engine clears, where model and picture are there again. */
export const clearedByRestart = () => ({ ...perEngine });

/** What another picture clears. */
export const clearedByPicture = () => ({ ...perPicture, ...clearedByRestart() });

/** What another model clears, before it has seen the picture. */
export const clearedByModel = () => ({ ...perModel, ...clearedByPicture() });
