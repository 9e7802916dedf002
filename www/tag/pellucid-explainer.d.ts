// The tag: importing this module defines <pellucid-explainer>, where there is a document. docs/embedding.md says how to
// use it.

import type { Backend, Explainer, Explanation, Model } from '../api/pellucid.js';

/** A picture with what in it spoke for and against a class. Each attribute is a property too. */
export class PellucidExplainer extends HTMLElement {
  /** The picture: an address. */
  src: string | null;
  alt: string | null;
  model: string | null;
  labels: string | null;
  /** A configuration of transformers or timm: an address. */
  preprocessing: string | null;
  preset: string | null;
  /** Three numbers with commas or blanks between; an array is taken too. */
  get mean(): string | null;
  set mean(value: string | number[] | null);
  get std(): string | null;
  set std(value: string | number[] | null);
  channels: string | null;
  get resize(): string | null;
  set resize(value: string | number | null);
  interpolation: string | null;
  /** Height and width, as 224x320; an array is taken too. */
  get size(): string | null;
  set size(value: string | number[] | null);
  scores: string | null;
  head: string | null;
  method: string | null;
  target: string | null;
  versus: string | null;
  layer: string | null;
  score: string | null;
  seed: string | null;
  /** `key=value` with blanks between, or JSON; an object is taken too. */
  get parameters(): string | null;
  set parameters(value: string | object | null);
  colours: string | null;
  get opacity(): string | null;
  set opacity(value: string | number | null);
  backend: string | null;
  precomputed: string | null;
  controls: string | null;
  compare: string | null;
  get height(): string | null;
  set height(value: string | number | null);
  /** The last explanations: one, or one for each method that is compared. */
  readonly explanations: Partial<Explanation>[];
  /** Asks again for what the attributes say. */
  refresh(): void;
}

/** The tag's events, which bubble and cross shadow roots. */
export interface PellucidEvents {
  'pellucid-ready': CustomEvent<{ explainer: Explainer; model: Model; backend: Backend }>;
  'pellucid-progress': CustomEvent<{ done: number; total: number }>;
  'pellucid-result': CustomEvent<{ explanation: Partial<Explanation>; explanations: Partial<Explanation>[] }>;
  'pellucid-error': CustomEvent<{ code: string; message: string; error: unknown }>;
}

declare global {
  interface HTMLElementTagNameMap {
    'pellucid-explainer': PellucidExplainer;
  }
  interface HTMLElementEventMap extends PellucidEvents {}
}
