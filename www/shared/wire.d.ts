// The messages between the API and its worker. Both ends are checked against this: api/bridge.js asks, and
// worker/worker.js answers. What stands as JSON between the worker and the engine has its type here too.

import type {
  Backend, ClassName, ClassScore, Display, Head, LoadProgress, Method, Model, Score, Settings, Target,
} from '../api/facts';

export type { Display, Method } from '../api/facts';

/** Each operation of the worker: its arguments, its value, and what its progress brings. */
export interface Operations {
  start: Call<StartArguments, Started, LoadProgress>;
  image: Call<{ blob: Blob }, Crop>;
  /** With `as` the answers are those under other options: of preprocessing, and the head. */
  classify: Call<{ as?: OpenOptions }, Classification>;
  cut: Call<{ method: string; parameters: Settings }, Segments>;
  hide: Call<{ hidden: number[] }, ClassScore[]>;
  explain: Call<Question, Report & { backend_now: Backend }, RunProgress>;
  sweep: Call<Question, { backend_now: Backend }, SweepProgress>;
  /** Another worker is there to help, at the other end of `port`. */
  helper: Call<{ number: number; port: MessagePort }>;
  /** That helper has died. */
  lost: Call<{ number: number }>;
  /** This worker helps the one at the other end of `port`. */
  help: Call<{ port: MessagePort }>;
  labels: Call<{ blob: Blob }, string[]>;
  values: Call<MapOf, MapValues>;
  /** Takes the maps of a run back, to draw them over the picture that is open now; answers their id. */
  restore: Call<{ maps: KeptMap[] }, number>;
  /** Draws a map; `values` asks for the raw map with it. */
  render: Call<MapOf & { display: Display; shared?: boolean; small?: boolean; values?: boolean }, Frame & { values?: MapValues }>;
  png: Call<MapOf & { display: Display; shared?: boolean }, Bytes>;
  npy: Call<MapOf, Bytes>;
}

interface Call<Arguments, Value = undefined, Progress = never> {
  args: Arguments;
  value: Value;
  progress: Progress;
}

export type Operation = keyof Operations;
export type ArgumentsOf<O extends Operation> = Operations[O]['args'];
export type ValueOf<O extends Operation> = Operations[O]['value'];
export type ProgressOf<O extends Operation> = Operations[O]['progress'];
/** The arguments of an operation that takes none. */
export type Nothing = Record<string, never>;

/** From the page to its worker: a call, or that one is to stop. */
export type ToWorker =
  | { [O in Operation]: { id: number; op: O; args: ArgumentsOf<O>; stop?: undefined } }[Operation]
  | { id: number; op?: undefined; args?: undefined; stop: true };

/** From the worker to the page: one answer for each call, progress before it, and what belongs to no call. */
export type FromWorker =
  /** The worker listens. */
  | { hello: string }
  /** Its script could not be loaded. */
  | { lost: string }
  | { id: number; value: ValueOf<Operation> }
  | { id: number; error: Failure }
  | { id: number; progress: ProgressOf<Operation> }
  /** The worker can no longer be used. */
  | { fatal: string }
  /** The worker wants helpers besides those with these numbers. */
  | { summon: number[] };

/** From a worker to its helper: a job, or that one is to end before an image. */
export type ToHelper = { id: number; job: Bytes; end?: undefined } | { id: number; job?: undefined; end: number };

/** From a helper: what the network made of one image; null when the job has failed. */
export interface FromHelper {
  id: number;
  outputs: Bytes | null;
}

/** A stable code, and a sentence that says what to do. */
export interface Failure {
  code: string;
  message: string;
}

export type Bytes = Uint8Array<ArrayBuffer>;
export type Pixels = Uint8ClampedArray<ArrayBuffer>;

/** RGBA, row by row. */
export interface Image {
  width: number;
  height: number;
  rgba: Pixels;
}

/** The picture as the network sees it. */
export interface Crop extends Image {
  notes: string[];
}

export interface StartArguments {
  /** The engine: its address, its file, or what it was compiled to. */
  engine: string | Blob | WebAssembly.Module;
  /** An address, or the file itself. */
  model: string | Blob;
  /** The files in which the model keeps its weights, by their names. */
  files?: File[];
  /** A configuration file of preprocessing. */
  config?: Blob;
  /** The file of the class names, or its address, where `options` has none. */
  labels?: string | Blob;
  name: string;
  options: OpenOptions;
  /** The photographs that expected gradients compare with. */
  background: (string | Blob)[];
  /** How many milliseconds a server may be silent. */
  patience: number;
  /** How many other workers may take parts of the work; absent for a helper, which has none. */
  helpers?: number;
}

export interface OpenOptions {
  backend?: string;
  /** On the scale 0..255. */
  mean?: number[];
  std?: number[];
  /** All of the preprocessing by name, or the text of a configuration file. */
  preset?: string;
  config?: string;
  channels?: string;
  resize?: string;
  interpolation?: string;
  /** The output that has the scores. */
  scores?: string;
  /** Height and width, where the file leaves them open. */
  size?: number[];
  /** In class order. */
  labels?: string[];
  head?: Head;
}

export interface Started {
  module: WebAssembly.Module;
  file: Blob;
  /** The files in which the model keeps its weights. */
  files: File[];
  labels?: string[];
  methods: Method[];
  colourMaps: ColourMap[];
  tutorial: Display;
  info: Info;
  /** Start and end of each span, on the clock of shared/timings.js. */
  timings: Record<string, Span>;
}

export type Span = [start: number, end: number];

export interface Info {
  backend: Backend;
  model: Model;
}

export interface ColourMap {
  id: string;
  label: string;
  diverging: boolean;
  /** One row of RGBA. */
  strip: Pixels;
}

export interface Classification {
  /** Every class, the best first. */
  classes: ClassScore[];
  /** Only for a trial of other options. */
  head?: Head;
  notes?: string[];
  elapsed_ms: number;
  span: Span;
  backend: Backend;
}

/** A question to a method. */
export interface Question {
  method: string;
  /** The best class where it is null. */
  target: ClassName | ClassName[] | null;
  versus: ClassName | null;
  layer: string | null;
  score: Score | null;
  parameters: Settings;
  seed: number;
  segments?: OwnSegments;
  samples?: ArrayLike<number>[];
  background?: Choice;
  baseline?: Choice;
}

/** The caller's own pictures; `turn` tells one choice from the next. */
export interface Choice {
  turn: number;
  blobs: Blob[];
}

/** Segments of the caller: the label of each pixel, row by row, from 0. */
export interface OwnSegments {
  width: number;
  height: number;
  labels: ArrayLike<number>;
}

/** The report of a run. A run of one target has its figures beside the others. */
export type Report = RunReport & ((TargetReport & { targets?: undefined }) | { targets: TargetReport[] });

/** The report of one target of a run. */
export type Result = RunReport & TargetReport;

export interface RunReport {
  id: number;
  stopped: boolean;
  method: string;
  versus: Target | null;
  layer: string | null;
  score: Score;
  head: Head;
  parameters: Settings;
  seed: number;
  backend: 'gpu' | 'cpu';
  adapter: string;
  evaluations: number;
  saturation: { saturated: number; values: number } | null;
  notes: string[];
  elapsed_ms: number;
}

export interface TargetReport {
  target: Target;
  logit: number;
  probability: number | null;
  sum: number;
  min: number;
  max: number;
  unit: string;
  shape: number[];
  /** One weight per segment. */
  weights?: number[];
}

export interface RunProgress {
  done: number;
  total: number;
  /** The id of maps that can be drawn. */
  id?: number;
  /** The error of the maps so far, where the method tells it. */
  spread?: number;
}

export interface SweepProgress {
  done: number;
  total: number;
  reports: Report[];
}

/** Which map of which run. */
export interface MapOf {
  id: number;
  k: number;
}

/** A map drawn over the picture. */
export interface Frame extends Image {
  /** One row of RGBA; empty where colours mean nothing. */
  legend: Pixels;
  rendered: {
    width: number;
    height: number;
    scale: Scale;
    all_zero: boolean;
    all_negative: boolean;
    all_positive: boolean;
    notice: string | null;
  };
  ticks: { value: number; position: number; label: string }[];
}

export interface Scale {
  low: number;
  high: number;
  clipped_fraction: number;
}

/** The raw map, neither scaled nor upsampled. */
export interface MapValues {
  shape: Uint32Array<ArrayBuffer>;
  data: Float32Array<ArrayBuffer>;
  unit: string;
  /** Those that the method hid. */
  segments?: Pick<Segments, 'width' | 'height' | 'labels'>;
}

/** The parts that it takes to draw a map again. */
export interface KeptMap extends Pick<MapValues, 'shape' | 'data' | 'segments'> {
  weights?: Float64Array<ArrayBuffer>;
}

/** The picture in segments: the segment of each pixel, and what shows where one is hidden. */
export interface Segments extends Image {
  count: number;
  labels: Uint32Array<ArrayBuffer>;
}
