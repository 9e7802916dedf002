// The state of the page, and what its rooms know of each other.

import type {
  Backend,
  ClassScore,
  Classification,
  ColourMap,
  Display,
  Drawing,
  ExplainProgress,
  Explainer,
  Explanation,
  Layer,
  LoadProgress,
  Method,
  Model,
  OpenModelOptions,
  PictureView,
  PreprocessingOptions,
  Score,
  Segments,
  Settings,
  Target,
} from '../api/pellucid';

export type Loading = LoadProgress;

/** Every key of the state, in groups by what clears it; state/state.js has the initial values. */
export interface State extends Lasting, PerModel, PerPicture, PerEngine {}

/** Lasting state: the page itself, and the reader's choices for whatever comes. */
export interface Lasting {
  view: 'welcome' | 'work';
  engine: 'loading' | 'ready' | 'dead';
  /** How far the engine is with its start. */
  loading: Loading | null;
  info: Info | null;
  methods: Method[];
  colourMaps: ColourMap[];
  /** The display options of Keras's Grad-CAM example. */
  tutorial: Display | null;
  /** A picture's file that the engine has not read yet. */
  coming: Picture | null;
  /** The file that `crop` is of. */
  picture: Picture | null;
  opening: boolean;
  openingModel: boolean;
  /** The id of a method. */
  method: string | null;
  /** Null is the method's default. */
  score: Score | null;
  /** By method, only what was changed. */
  parameters: Record<string, Settings>;
  /** The reader's own pictures. */
  files: Files<string>;
  /** The kind of panels that stand side by side. */
  compare: 'classes' | 'methods' | null;
  comparedMethods: string[];
  /** Only what was changed; the rest is the method's default. */
  display: Display;
  /** The reader looks at the picture alone. */
  pictureOnly: boolean;
  dialog: 'model' | null;
  /** The models that the reader had kept on this device, the last first. */
  keptModels: KeptModel[];
  /** The model that is open is being kept. */
  keeping: boolean;
  /** Whether the page opens without a network: not (yet), or because its service worker keeps it. */
  offline: 'no' | 'kept';
}

/** State of the model: another one clears it. */
export interface PerModel {
  /** Null is the model's default. */
  layer: string | null;
  /** The same for methods that can do without: null is the picture. */
  optionalLayer: string | null;
  /** The id under which it is kept on this device. */
  keptId: string | null;
  /** A scale that stays. */
  lock: Lock | null;
  /** The run, also of the picture before: its figures stay until there are others. */
  run: Run;
}

/** State of a picture as the model sees it: another picture clears it, and another model. */
export interface PerPicture {
  /** The picture as the network sees it. */
  crop: PictureView | null;
  classes: Classification | null;
  target: Target | null;
  /** The class that the target is held against. */
  versus: number | null;
  /** The indices of the classes that stand side by side, once chosen. */
  comparedClasses: number[] | null;
  /** The answers under choices that are not accepted yet. */
  trial: Trial | null;
  frame: (Omit<Drawing, 'values'> & Drawn) | null;
  values: (MapValues & Drawn) | null;
}

/** Names of things in the engine's memory: another picture, another model and a restart clear it. */
export interface PerEngine {
  /** The runs of the methods that stand side by side. */
  panels: Panel[];
  /** While the reader hides parts of the picture. */
  whatIf: WhatIf | null;
}

export interface Trial {
  status: 'running' | 'done' | 'failed';
  /** The best first; those of the trial before, while another is under way. */
  classes: ClassScore[] | null;
  notes: string[];
  /** Why there is none. */
  message: string | null;
}

export interface Picture {
  blob: Blob;
  name: string;
}

export interface Info {
  backend: Backend;
  model: Model;
}

/** A question to a method. */
export interface Question {
  method: string;
  targets: number[];
  versus: number | null;
  layer: string | null;
  score: Score | null;
  parameters: Settings;
  seed: number;
  files: Files<'background' | 'baseline'>;
}

/** The reader's own pictures; `turn` tells one choice from the next. */
export interface Choice {
  turn: number;
  blobs: File[];
}

export type Files<Keys extends string> = { [Key in Keys]?: Choice | false | null };

/** The report of one target of a run. */
export type Result = {
  [Key in keyof Explanation as string extends Key ? never : Key extends 'targets' | 'values' ? never : Key]: Explanation[Key];
};

/** The raw map, neither scaled nor upsampled. */
export type MapValues = NonNullable<Drawing['values']>;

/** Which map something was made of. */
export interface Drawn {
  map: object;
  version: number;
}

export interface Lock {
  /** In `unit`. */
  scale: number;
  unit: string;
  /** Whose scale it is, in words. */
  of: string;
}

/** The run that is shown, or that nothing was asked yet. */
export interface Run {
  status: 'idle' | 'running' | 'done' | 'stopped' | 'failed';
  asked?: Question;
  crop?: PictureView | null;
  /** Which of its targets is shown. */
  k?: number;
  /** It has several targets. */
  shared?: boolean;
  /** On the clock of shared/timings.js. */
  start?: number;
  progress?: { done: number; total: number; spread?: number } | null;
  report?: Explanation;
  /** The report of the target that is shown. */
  result?: Result;
  /** The result of the run before. */
  previous?: Result;
  /** Its maps, once there are any. */
  maps?: object[];
  /** Grows with each map that can be drawn. */
  version?: number;
  /** A sweep over the layers will bring it. */
  waiting?: boolean;
  stopping?: boolean;
}

/** The run of a method that is compared with others. */
export interface Panel {
  method: string;
  asked: Question | null;
  crop: PictureView;
  status: 'waiting' | 'running' | 'done' | 'stopped' | 'failed';
  version: number;
  maps?: object[];
  report?: Explanation;
  progress?: Omit<ExplainProgress, 'maps'>;
}

export interface WhatIf {
  hidden: Set<number>;
  /** The scores with these hidden, the best first; null where none are. */
  classes: ClassScore[] | null;
  /** The segments, once they are there. */
  cut: Segments | null;
  /** A run was stopped for it. */
  interrupted: boolean;
}

export interface StoreOf<S> {
  readonly state: S;
  set(patch: Partial<S>): void;
  /**
   * Calls `react` with the selected values, now and whenever one of them changes, until the returned function is called.
   * The types of the values are those that `select` gives.
   */
  watch<Values extends readonly unknown[]>(
    select: (state: S) => [...Values],
    react: (...values: { [K in keyof Values]: NoInfer<Values[K]> }) => unknown,
  ): () => boolean;
}

export type Store = StoreOf<State>;

/** The explainer that the page shows, once it is there. */
/** A file inside the page as one file. */
export interface Part {
  /** Its role. */
  name: string;
  file: string;
  type: string;
  /** Whether the bytes are compressed. */
  packed: boolean;
  blob: Blob;
}

/** A picture that the page offers. */
export interface Sample {
  file: string;
  alt: string;
  url: string;
  read(): Promise<Blob>;
}

/** Saves the page as one file with these pictures. */
export type SaveFlow = (pictures: { name: string; read(): Promise<Blob> }[]) => Promise<Blob>;

export interface PageEngine {
  readonly loaded: Promise<Explainer>;
  /** Opens another model. The one that is open stays until then, and when this fails. */
  open(options: OpenModelOptions): Promise<Explainer>;
  /** Another explainer, of the same model in another way, which whoever asked for it disposes of. */
  beside(options: OpenModelOptions): Promise<Explainer>;
}

/** How flows speak to the reader. */
export interface Notices {
  notify(notice: Notice): Element;
  notifyError(error: unknown): unknown;
  clearErrors(): void;
  clearNotices(): void;
}

export interface Notice {
  message: string;
  kind?: 'info' | 'error';
  code?: string;
  actions?: Action[];
}

export interface Action {
  label: string;
  run: () => unknown;
}

export interface Restart {
  /** The name of the model that failed before it had given an answer, if one did. */
  culprit: string | null;
  /** The picture is still there. */
  kept: boolean;
}

export interface PictureFlow {
  open(blob: Blob, name: string): Promise<void>;
  again(): Promise<void>;
}

/** Files by what they are for. */
export interface ModelFiles {
  model?: File;
  /** In which the model keeps its weights. */
  data: File[];
  /** How pictures are prepared. */
  config?: File;
  /** The names of the classes. */
  labels?: File;
}

/** The reader's choices for a model, where its file leaves them open. */
export interface Choices extends Pick<OpenModelOptions, 'head' | 'scores' | 'size'> {
  preprocessing?: Omit<PreprocessingOptions, 'config'>;
}

/** The parts that a model is opened from. */
export interface ModelParts extends ModelFiles {
  choices: Choices;
}

export interface ModelFlow {
  /** The choices for the model that is open. */
  readonly choices: Choices;
  /** The parts that the open model was opened from; without a model it is the page's own. */
  readonly parts: ModelParts;
  /** Opens a model as it was. */
  reopen(parts: ModelParts): Promise<boolean>;
  /** How the API opens the model that is open with other choices. */
  optionsFor(choices: Choices): OpenModelOptions;
  /** Opens what was dropped or picked: a model with what lies around it, or the rest of what came before; resolves to whether it is open. */
  take(files: ModelFiles): Promise<boolean>;
  /** Opens the model that is open in another way. Labels stay where there are no others. */
  choose(choices: Choices, labels?: File): Promise<boolean>;
  /** Goes back to the page's own. */
  reset(): Promise<boolean>;
  adopt(info: Info): void;
  /** The engine went back to the last model that had worked. */
  fallBack(info: Info): void;
}

/** Layers under one name, in the outline of the network. */
export interface Group {
  id: string;
  label: string;
  /** Its contents, in words. */
  note: string;
  children: (Group | Leaf)[];
}

/** A layer in the outline, under the last part of its name. */
export interface Leaf {
  id: string;
  label: string;
  layer: Layer;
}

/** A model that is kept on this device. */
export interface KeptModel {
  id: string;
  name: string;
  /** The size of all its files, in bytes. */
  size: number;
  /** When it was kept, in milliseconds since 1970. */
  at: number;
}

export interface RememberFlow {
  /** Keeps the model that is open. */
  remember(): Promise<void>;
  reopen(id: string): Promise<void>;
  forget(id: string): Promise<void>;
}

export interface TrialFlow {
  /** Asks what the network would say with other choices; those that hold already end it. A fault says what a field should hold that cannot be read. */
  ask(choices: Choices, fault?: string): void;
  /** Ends it, and takes up the run that was stopped for it. */
  leave(): void;
}

export interface ExplainFlow {
  stop(): void;
  schedule(): void;
  sweep(): void;
  forget(): void;
}

export interface CompareFlow {
  schedule(): void;
  stop(): void;
}

export interface WhatIfFlow {
  enter(): Promise<void>;
  leave(): void;
  toggle(segment: number): void;
  reset(): void;
}

/** Elements of index.html that are more than an HTMLElement, by the selectors that find them. */
export interface Elements {
  '#again': HTMLButtonElement;
  '#canvas': HTMLCanvasElement;
  '#picture-only': HTMLButtonElement;
  '#legend-bar': HTMLCanvasElement;
  '#model-button': HTMLButtonElement;
  '#model-dialog': HTMLDialogElement;
  '#picture-file': HTMLInputElement;
  '#preview': HTMLImageElement;
  '#run-bar': HTMLProgressElement;
  '#stop': HTMLButtonElement;
  '#theme-button': HTMLButtonElement;
  '#waiting-bar': HTMLProgressElement;
}

/** The kind of element that a selector finds. */
export type ElementOf<Selector extends string> = Selector extends keyof Elements ? Elements[Selector] : HTMLElement;

export type Child = Node | string | null | undefined | false | Child[];

/** Attributes of a new element; `on` has listeners, `data` what goes into `dataset`. */
export interface Props {
  on?: { [Type in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Type]) => unknown };
  data?: Record<string, unknown>;
  [attribute: string]: unknown;
}
