// The API of Pellucid: why an image classifier said what it said. docs/javascript.md has an example of each call.

import type {
  Backend, ClassName, ClassScore, Display, Head, Layer, LoadProgress, Method, Model, Score, Settings, Target,
} from './facts.js';
import type { MethodId, MethodParameters } from './methods.js';

export type {
  Backend, ClassName, ClassScore, Display, Features, Head, Layer, LoadProgress, Method, Model, Parameter, ParameterKind,
  Preprocessing, Score, Setting, Settings, Target,
} from './facts.js';
export type { MethodId, MethodParameters } from './methods.js';

/** An image. Pixels are taken as they are; of a file or an address, the file is read as the command line reads it. */
export type ImageSource = Blob | ImageBitmap | ImageData | HTMLImageElement | HTMLCanvasElement | OffscreenCanvas | string | URL;

/** The stable codes of errors; a later version may have more. */
export type ErrorCode =
  | 'argument'
  | 'browser'
  | 'cancelled'
  | 'crashed'
  | 'disposed'
  | 'gpu-lost'
  | 'gpu-memory'
  | 'gpu-unavailable'
  | 'gpu-validation'
  | 'image'
  | 'internal'
  | 'io'
  | 'limit'
  | 'missing-data'
  | 'model'
  | 'network'
  | 'not-finite'
  | 'unsupported'
  | 'version'
  | 'worker'
  | (string & {});

/** Every call rejects with one of these: a stable code, and a sentence that says what to do. */
export class PellucidError extends Error {
  constructor(code: ErrorCode, message: string, options?: ErrorOptions);
  readonly code: ErrorCode;
  /** True when the explainer is of no use any more. */
  dead: boolean;
}

/** How a model is opened. */
export interface OpenModelOptions {
  /** An ONNX classifier: its address, its file, or its bytes. The shipped EfficientNet-Lite0 where there is none. */
  model?: string | URL | Blob | ArrayBuffer | ArrayBufferView | null;
  /** The class names in class order, or a file of them: its address, itself, or its bytes. */
  labels?: string[] | string | URL | Blob | ArrayBuffer | ArrayBufferView | null;
  /** The files in which the model keeps its weights (`model.onnx.data`), which are found by their names. */
  files?: Iterable<File>;
  /** How pictures become the network's input; what is left out is the file's, or a guess. */
  preprocessing?: PreprocessingOptions;
  /** The output that has one score per class, by its name; the one that looks like it where none is given. */
  scores?: string;
  /** Height and width of the input, where the file leaves them open. */
  size?: [height: number, width: number];
  /** The function that turns outputs into probabilities, where the file does not say. */
  head?: Head;
  /** The model's name, where its file does not say. */
  name?: string;
  /** The addresses of Pellucid's parts, where they are not beside this script; or the parts themselves. */
  assets?: { worker?: string | URL | Blob; engine?: string | URL | Blob | WebAssembly.Module; model?: string | URL | Blob; background?: (string | Blob)[] };
  signal?: AbortSignal;
}

/** All of the preprocessing by name or from a file; single keys go before these. */
export interface PreprocessingOptions {
  preset?: Preset;
  /** `preprocessor_config.json` of transformers, or timm's `config.json`: the file, or its text. */
  config?: string | Blob;
  /** `(value - mean) / std` on the scale 0..255; numbers within 0..1 are taken times 255. */
  mean?: number[];
  std?: number[];
  channels?: 'rgb' | 'bgr';
  /** The short side in pixels before the centre crop; or `squash`, `pad`. */
  resize?: number | string;
  interpolation?: 'nearest' | 'bilinear' | 'bicubic' | 'lanczos3';
}

export type Preset = 'torchvision' | 'keras-tf' | 'keras-caffe' | 'keras-torch' | 'unit' | 'raw' | 'efficientnet-lite' | 'clip';

export interface LoadOptions extends OpenModelOptions {
  /** `auto` takes the GPU unless it is a software adapter. */
  backend?: 'auto' | 'gpu' | 'cpu';
  /** How many workers compute side by side where there is no GPU: 1 to 8, the number of processors up to 4 by default. */
  workers?: number | null;
  /** How many milliseconds a server may be silent before it is given up: 30,000 by default. */
  timeout?: number;
  /** How often a question is asked again that ended with a crash of the engine: once by default. */
  retries?: number;
  onProgress?: (progress: LoadProgress) => unknown;
  /** The engine had crashed and is there again; `culprit` names the model that it went back from, `kept` says if it has the image. */
  onRestart?: (restart: { culprit: string | null; kept: boolean }) => unknown;
  /** The engine crashed too often: every call rejects with this error from now on. */
  onDead?: (error: PellucidError) => unknown;
}

export interface ClassifyOptions {
  /** How many classes; all by default. */
  top?: number;
  /** For this answer alone, in place of what the model was opened with; with either, the other is the file's or a guess. */
  preprocessing?: PreprocessingOptions;
  head?: Head;
  signal?: AbortSignal;
}

/** A question to a method; the names and values are the command line's. */
export interface Question<Id extends MethodId = MethodId> {
  /** `grad-cam` by default. */
  method?: Id;
  /** The classes to explain; the best one by default. A text is read as the command line reads `--target`. */
  target?: ClassName | ClassName[] | null;
  /** A class to hold the targets against: why they rather than this one. For gradient methods. */
  versus?: ClassName | null;
  /** A layer of `layers()`, for methods that look at one. */
  layer?: string | null;
  /** The score to explain; the method's own default where there is none. */
  score?: Score | null;
  /** The seed of random numbers; 0 by default. */
  seed?: number;
  /** Parameters of the method; those that are left out have their defaults. */
  parameters?: MethodParameters[Id];
  /** The images that expected gradients compare with, one or several; twelve photographs by default. */
  background?: ImageSource | ImageSource[];
  /** The image at which integrated gradients start; stands for the parameter `baseline: 'image'`. */
  baseline?: ImageSource;
  /** Segments of your own, for methods that hide segments: the label of each pixel, row by row, from 0. */
  segments?: { width: number; height: number; labels: ArrayLike<number> };
  /** Samples of your own, for such methods: which segments show (1) in each. */
  samples?: ArrayLike<number>[];
}

export interface ExplainOptions<Id extends MethodId = MethodId> extends Question<Id> {
  signal?: AbortSignal;
  /** An abort keeps the maps that there are: the promise resolves to them, `stopped`. */
  partial?: boolean;
  onProgress?: (progress: ExplainProgress) => unknown;
}

export interface ExplainProgress {
  done: number;
  total: number;
  /** The error of the maps so far, where the method tells it. */
  spread?: number;
  /** Maps that can be drawn already, while the run lasts. */
  maps?: object[];
}

export interface SweepOptions<Id extends MethodId = MethodId> extends Question<Id> {
  signal?: AbortSignal;
  /** Brings the layers that are there, the nearest to the one asked for first. */
  onProgress?: (progress: { done: number; total: number; explanations: Explanation[] }) => unknown;
}

export interface SegmentsOptions {
  /** A method that hides segments; `lime` by default. */
  method?: MethodId;
  parameters?: Settings;
  signal?: AbortSignal;
}

export interface HideOptions {
  signal?: AbortSignal;
}

export interface DrawOptions {
  /** A canvas to draw on; it takes the drawing's size. */
  canvas?: HTMLCanvasElement | OffscreenCanvas;
  /** All maps of the run on one scale. */
  shared?: boolean;
  /** At most 256 pixels wide and high. */
  small?: boolean;
  /** The numbers with it, for maps of a run that still lasts. */
  values?: boolean;
  signal?: AbortSignal;
}

export interface Classification {
  /** The best first. */
  classes: ClassScore[];
  head: Head;
  backend: 'gpu' | 'cpu';
  adapter: string;
  elapsed_ms: number;
  /** Start and end, in milliseconds since 1970. */
  span: [start: number, end: number];
  /** Notes on the image for a reader. */
  notes: string[];
}

/** The attribution of one class: signed numbers, neither scaled nor upsampled. */
export interface AttributionMap {
  target: Target;
  logit: number;
  probability: number | null;
  /** Row by row, of `shape`. */
  values: Float32Array<ArrayBuffer>;
  /** [H, W], or [C, H, W]. */
  shape: number[];
  unit: string;
  sum: number;
  min: number;
  max: number;
  /** One for each segment, for methods that hide segments. */
  weights?: number[];
  method: MethodId;
  layer: string | null;
  /** A method's further figures: `standard_error`, `delta`, `r2`. */
  [extra: string]: unknown;
}

/** The answer to a question. The figures of the first class stand here too. */
export interface Explanation extends AttributionMap {
  targets: AttributionMap[];
  versus: Target | null;
  score: Score;
  head: Head;
  /** All of them, with defaults. */
  parameters: Settings;
  seed: number;
  backend: 'gpu' | 'cpu';
  adapter: string;
  /** How many images the network was run on. */
  evaluations: number;
  saturation: { saturated: number; values: number } | null;
  /** Notes for a reader of the numbers. */
  notes: string[];
  /** The run was aborted, and these are the last maps that it had. */
  stopped: boolean;
  elapsed_ms: number;
}

/** RGBA, row by row. */
export interface Pixels {
  width: number;
  height: number;
  rgba: Uint8ClampedArray<ArrayBuffer>;
}

/** A map drawn over its image. */
export interface Drawing extends Pixels {
  /** The colour bar: one row of RGBA; empty where colours mean nothing. */
  legend: Uint8ClampedArray<ArrayBuffer>;
  ticks: { value: number; position: number; label: string }[];
  /** The values at both ends of the colour bar. */
  scale: { low: number; high: number; clipped_fraction: number };
  all_zero: boolean;
  all_negative: boolean;
  all_positive: boolean;
  /** Notes on the map: that all values have one sign, or are zero. */
  notice: string | null;
  values?: { shape: Uint32Array<ArrayBuffer>; data: Float32Array<ArrayBuffer>; unit: string };
}

/** An image as the network sees it: resized and cropped. */
export interface PictureView extends Pixels {
  notes: string[];
}

/** An image in segments: the segment of each pixel, and what shows where one is hidden. */
export interface Segments extends Pixels {
  count: number;
  labels: Uint32Array<ArrayBuffer>;
}

export interface ColourMap {
  id: string;
  label: string;
  diverging: boolean;
  /** One row of RGBA. */
  strip: Uint8ClampedArray<ArrayBuffer>;
}

/**
 * A model that classifies and explains images, in workers of its own. Calls may overlap: each is answered for its own
 * image, one after another.
 */
export class Explainer {
  private constructor(options: never);
  /** Downloads the engine, opens a model, and resolves to its explainer. */
  static load(options?: LoadOptions): Promise<Explainer>;
  readonly model: Model;
  /** The backend that runs the model now: a GPU may be lost, and the CPU takes over. */
  readonly backend: Backend;
  /** The methods and their parameters. */
  methods(): Method[];
  /** The layers that can be explained. */
  layers(): Layer[];
  /** The colour maps of `draw`. */
  colours(): ColourMap[];
  /** Display options by name: those of Keras's Grad-CAM example. */
  presets(): { tutorial: Display };
  /** The scores of the classes, the best first. */
  classify(image: ImageSource, options?: ClassifyOptions): Promise<Classification>;
  /** Explains what in an image spoke for and against a class. */
  explain<Id extends MethodId = 'grad-cam'>(image: ImageSource, options?: ExplainOptions<Id>): Promise<Explanation>;
  /** Explains at every layer at once, for methods whose `sweeps` is true. */
  sweep<Id extends MethodId = 'grad-cam'>(image: ImageSource, options?: SweepOptions<Id>): Promise<Explanation[]>;
  /** Draws a map over its image. */
  draw(map: AttributionMap | object, display?: Display, options?: DrawOptions): Promise<Drawing>;
  /** The display options that suit a map. */
  displayOf(map: AttributionMap | object): Display;
  /** The drawing of `draw`, as a PNG file. */
  png(map: AttributionMap | object, display?: Display, options?: { shared?: boolean; signal?: AbortSignal }): Promise<Blob>;
  /** The values as a .npy file: float32. */
  npy(map: AttributionMap | object, options?: { signal?: AbortSignal }): Promise<Blob>;
  /** An image as the network sees it. */
  see(image: ImageSource, options?: { signal?: AbortSignal }): Promise<PictureView>;
  /** Cuts an image into the segments that a method hides. */
  segments(image: ImageSource, options?: SegmentsOptions): Promise<Segments>;
  /** The scores of every class with some of those segments hidden, the best first. */
  hide(segments: Segments, hidden: Iterable<number>, options?: HideOptions): Promise<ClassScore[]>;
  /** Opens another model. The one that is open stays until then, and when this fails. */
  open(options: OpenModelOptions): Promise<void>;
  /** The options that the model was opened with, and the names of the files that were given. */
  readonly opened: { file?: string; labelsFile?: string; backend?: string; labels?: string[]; head?: Head; scores?: string; size?: number[]; files?: string[]; configFile?: string } & Pick<PreprocessingOptions, 'mean' | 'std'> & { preset?: string; channels?: string; resize?: string; interpolation?: string };
  /** The parts of Pellucid that it uses, or where they are. */
  readonly assets: { worker: string | Blob; engine: string | Blob | WebAssembly.Module; model: string | Blob; background: (string | Blob)[] };
  /** The file of the model. */
  file(): Promise<Blob>;
  /** The class names in a file, in class order. */
  readLabels(file: string | URL | Blob | ArrayBuffer | ArrayBufferView): Promise<string[]>;
  /** Ends the workers and frees their memory. Whoever waits for an answer gets an error, code `disposed`. */
  dispose(): void;
}
