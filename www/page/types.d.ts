// The state of the page, and what its rooms know of each other.

import type {
  ArgumentsOf,
  ClassScore,
  Classification,
  ColourMap,
  Crop,
  Display,
  Files,
  Frame,
  Info,
  Loading,
  MapValues,
  Method,
  OpenOptions,
  Operation,
  ProgressOf,
  Question,
  Report,
  Result,
  RunProgress,
  Score,
  Segments,
  Settings,
  Target,
  ValueOf,
} from '../shared/wire';

/** Every key of the state, in groups by what clears it; state/state.js has the initial values. */
export interface State extends Lasting, PerModel, PerPicture, PerEngine {}

/** What lasts: the page itself, and what the reader has chosen for whatever comes. */
export interface Lasting {
  view: 'welcome' | 'work';
  engine: 'loading' | 'ready' | 'dead';
  /** What the worker says while it starts. */
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
  /** What stands side by side. */
  compare: 'classes' | 'methods' | null;
  comparedMethods: string[];
  /** Only what was changed; the rest is the method's default. */
  display: Display;
  /** The reader looks at the picture alone. */
  pictureOnly: boolean;
  dialog: 'model' | null;
  /** Whether the page opens without a network: it does not (yet), or it is kept by its service worker. */
  offline: 'no' | 'kept';
}

/** What belongs to the model: another one clears it. */
export interface PerModel {
  /** Null is the model's default. */
  layer: string | null;
  /** The same for methods that can do without: null is the picture. */
  optionalLayer: string | null;
  /** A scale that stays. */
  lock: Lock | null;
  /** Of the picture before too, whose figures stay until there are others. */
  run: Run;
}

/** What belongs to a picture as the model sees it: another picture clears it, and another model. */
export interface PerPicture {
  /** The picture as the network sees it. */
  crop: Crop | null;
  classes: Classification | null;
  target: Target | null;
  /** The class that the target is held against. */
  versus: number | null;
  /** The indices of the classes that stand side by side, once chosen. */
  comparedClasses: number[] | null;
  frame: (Frame & Drawn) | null;
  values: (MapValues & Drawn) | null;
}

/** What names something in the engine's memory: another picture, another model and a restart clear it. */
export interface PerEngine {
  /** The runs of the methods that stand side by side. */
  panels: Panel[];
  /** While the reader hides parts of the picture. */
  whatIf: WhatIf | null;
}

export interface Picture {
  blob: Blob;
  name: string;
}

/** Which map something was made of. */
export interface Drawn {
  id: number;
  k: number;
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
  crop?: Crop | null;
  /** Which of its targets is shown. */
  k?: number;
  /** It has several targets. */
  shared?: boolean;
  /** On the clock of shared/timings.js. */
  start?: number;
  progress?: { done: number; total: number; spread?: number } | null;
  report?: Report;
  /** The report of the target that is shown. */
  result?: Result;
  /** The result of the run before. */
  previous?: Result;
  /** Of its maps in the engine, once there are any. */
  id?: number;
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
  crop: Crop;
  status: 'waiting' | 'running' | 'done' | 'stopped' | 'failed';
  version: number;
  id?: number;
  report?: Report;
  progress?: RunProgress;
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

export interface CallOptions<O extends Operation> {
  signal?: AbortSignal;
  onProgress?: (progress: ProgressOf<O>) => unknown;
  transfer?: Transferable[];
}

/** An error with a stable code and a sentence that says what to do; after a `dead` one nothing can be asked. */
export type CodedError = Error & { code: string; dead?: boolean };

/** What flows and views ask of the engine. */
export interface EngineCalls {
  call<O extends Operation>(op: O, args: ArgumentsOf<O>, options?: CallOptions<O>): Promise<ValueOf<O>>;
  loadImage(blob: Blob): Promise<Crop>;
  openModel(file: Blob, options: ModelOptions): Promise<Info>;
  openDefault(): Promise<Info>;
  modelFile(): Promise<Blob>;
  readonly opened: Opened;
}

export type ModelOptions = Omit<OpenOptions, 'backend'> & { labelsFile?: string };

/** What the model in use was opened with. */
export type Opened = OpenOptions & { file?: string; labelsFile?: string };

/** How flows speak to the reader. */
export interface Notices {
  notify(notice: Notice): unknown;
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
  info: Info;
  /** The name of the model that failed before it had given an answer, if one did. */
  culprit: string | null;
  /** The picture is still there. */
  kept: boolean;
}

export interface PictureFlow {
  open(blob: Blob, name: string): Promise<void>;
  again(): Promise<void>;
}

export interface ModelFlow {
  /** Resolves to whether the model is open. */
  open(file: File | Blob, options?: ModelOptions): Promise<boolean>;
  reset(): Promise<boolean>;
  adopt(info: Info): void;
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

/** What a selector finds. */
export type ElementOf<Selector extends string> = Selector extends keyof Elements ? Elements[Selector] : HTMLElement;

export type Child = Node | string | null | undefined | false | Child[];

/** Attributes of a new element; `on` has listeners, `data` what goes into `dataset`. */
export interface Props {
  on?: { [Type in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Type]) => unknown };
  data?: Record<string, unknown>;
  [attribute: string]: unknown;
}
