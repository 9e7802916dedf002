// Types that the rooms of the tag share.

import type { AttributionMap, ClassScore, Explainer, Explanation, LoadOptions, Method, Target } from '../api/pellucid';

export type Controls = 'none' | 'minimal' | 'full';

/** The API, once it is here. */
export type Api = typeof import('../api/pellucid');
export type LoadApi = () => Promise<Api>;

export interface Look {
  colours: string | null;
  /** 0 to 1; null is what suits the map. */
  opacity: number | null;
  /** A length of CSS. */
  height: string | null;
}

/** RGBA that can be put on a canvas. */
export interface Picture {
  width: number;
  height: number;
  rgba: Uint8ClampedArray<ArrayBuffer>;
}

/** A map as it is shown: the picture under it, and the picture with all of it, between which the opacity chooses. */
export interface Panel {
  /** Its subject, for captions and screen readers. */
  title: string;
  under: Picture;
  over: Picture;
  opacity: number;
  legend: Uint8ClampedArray<ArrayBuffer>;
  ticks: { position: number; label: string }[];
  unit: string;
  signed: boolean;
  notice: string | null;
}

/** All that a finished run shows. */
export interface Shown {
  panels: Panel[];
  /** The best classes; empty where nobody was asked. */
  classes: ClassScore[];
  /** The class that is explained. */
  target: number | null;
  /** A line on how it was made. */
  made: string;
  notes: string[];
}

/** The choices that the controls offer. */
export interface Offer {
  methods: Method[];
  method: string;
}

/** How a model is opened; the tag has addresses of files. */
export interface Opening extends Pick<LoadOptions, 'preprocessing' | 'scores' | 'size' | 'head' | 'backend'> {
  model?: string;
  labels?: string;
  config?: string;
}

/** An explainer that tags share, and how to give it back. */
export interface Lease {
  explainer: Promise<Explainer>;
  /** Does something when no other tag that shares the explainer does. */
  inTurn(work: () => Promise<void>, signal: AbortSignal): Promise<void>;
  release(): void;
}

/** The detail of `pellucid-result`. */
export interface ResultDetail {
  /** One for each map that is shown; of a precomputed map what its file says. */
  explanations: (Explanation | Partial<AttributionMap>)[];
  explanation: Explanation | Partial<AttributionMap>;
}

/** A map from a file, with what its file says of it. */
export interface StoredMap {
  values: Float32Array<ArrayBuffer>;
  shape: number[];
  unit?: string;
  target?: Target;
  logit?: number;
  probability?: number | null;
}
