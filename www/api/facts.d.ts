// Types of what the engine says of models, methods, classes and maps, for callers and for the worker's messages.

import type { MethodId } from './methods.js';

/** A class: its index, its label, or `index:N` where a label is a number. */
export type ClassName = number | string;

export type Score = 'logit' | 'probability';
export type Head = 'softmax' | 'sigmoid' | 'none';

export interface Target {
  index: number;
  label: string;
}

export interface ClassScore extends Target {
  logit: number;
  /** Null where the network has no probabilities. */
  probability: number | null;
}

/** How far the start is. A total of 0 is not known. */
export type LoadProgress =
  | { stage: 'download'; received: Record<'engine' | 'model', [received: number, total: number]> }
  /** The bytes of the model's files are read. */
  | { stage: 'open'; step: 'read'; done: number; total: number }
  /** The network is understood; then its weights go to where they are computed with. */
  | { stage: 'open'; step: 'parse' | 'upload' };

export interface Backend {
  kind: 'gpu' | 'cpu';
  adapter: string;
  fallback: boolean;
  /** The events of its life, in sentences. */
  events: string[];
}

export interface Model {
  name: string;
  license: string | null;
  source: string | null;
  /** [C, H, W] */
  input: number[];
  classes: number;
  labels: string[];
  layers: Layer[];
  default_layer: string | null;
  head: Head;
  chosen_head: Head | null;
  notes: string[];
  remarks: string[];
  missing: ('scaling' | 'labels')[];
  /** The note on pictures where their scaling is a guess. */
  guess: string | null;
  /** How pictures are prepared. */
  preprocessing: Preprocessing;
  /** Its parts; memory in bytes, an estimate. */
  summary: { operators: [name: string, count: number][]; parameters: number; element_types: string[]; memory: number };
  /** The output that is explained, by its name in the file, and all that the file has. */
  scores: string;
  outputs: { name: string; shape: string }[];
  /** Whether the file leaves its input's height or width open. */
  is_size_open: boolean;
}

/** How pictures become the network's input; mean and deviation are on the scale 0..255, in the network's order of channels. */
export interface Preprocessing {
  mean: number[];
  std: number[];
  channels: 'rgb' | 'bgr';
  /** The short side in pixels before the centre crop; `squash`, `pad` or `keep`; `crop 0.95`: the crop's part of it. */
  resize: string;
  interpolation: 'nearest' | 'bilinear' | 'bicubic' | 'lanczos3';
  centre: 'even' | 'down';
}

export interface Layer {
  name: string;
  operator: string;
  /** [C, H, W] */
  shape: number[];
}

export interface Method {
  id: MethodId;
  label: string;
  group: string;
  sentence: string;
  paper: { authors: string; title: string; year: number; url: string };
  parameters: Parameter[];
  default_score: Score;
  map: 'channels' | 'image' | 'layer';
  layer: 'needed' | 'optional' | 'none';
  /** `sweep` takes it. */
  sweeps: boolean;
  background: boolean;
  /** It takes `versus`. */
  contrasts: boolean;
  segments: boolean;
  samples: boolean;
  /** The display options that suit a map: with both signs, with one, of a layer. */
  display: Record<'signed' | 'unsigned' | 'layer', Display>;
}

export type Parameter = { key: string; label: string; help: string } & ParameterKind;

/** The type of a parameter with its range; the names are those of `Kind` in src/attribution/parameters.rs. */
export type ParameterKind =
  | { kind: 'integer' | 'number'; min: number; max: number; default: number }
  | { kind: 'boolean'; default: boolean }
  | { kind: 'choice'; options: string[]; default: string }
  | { kind: 'fill' | 'masker'; default: string };

export type Setting = number | boolean | string;
/** Parameters of a method by key. */
export type Settings = Record<string, Setting>;

/** How a map is drawn; what is left out suits the map. Names and values are those of the command line's `--display`. */
export interface Display {
  colours?: string;
  /** 0 to 1 */
  opacity?: number;
  sign?: string;
  channels?: string;
  /** A percentile. */
  clip?: number;
  /** In the map's unit. */
  scale?: number | null;
  interpolation?: string;
  blend?: string;
  underlay?: string;
  features?: Features | null;
}

/** Which segments are shown, as LIME shows them. */
export interface Features {
  count: number;
  min_weight: number;
  hide_rest: boolean;
  boundaries: boolean;
}
