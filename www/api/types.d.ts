// Types that the rooms of the API share; pellucid.d.ts is what callers see.

import type { ArgumentsOf, OpenOptions, Operation, ProgressOf, ValueOf } from '../shared/wire';
import type { PellucidError } from './errors';
import type { LoadProgress } from './facts';

export interface CallOptions<O extends Operation> {
  signal?: AbortSignal;
  onProgress?: (progress: ProgressOf<O>) => unknown;
  transfer?: Transferable[];
}

/** The side that asks the worker. */
export interface Transport {
  call<O extends Operation>(op: O, args: ArgumentsOf<O>, options?: CallOptions<O>): Promise<ValueOf<O>>;
}

/** Addresses of the parts of Pellucid. */
export interface Assets {
  worker: string | Blob;
  engine: string | Blob | WebAssembly.Module;
  model: string | Blob;
  background: (string | Blob)[];
}

/** How a model is opened. */
export interface Opening {
  model: string | Blob;
  name: string;
  /** The files in which the model keeps its weights. */
  files?: File[];
  /** A configuration file of preprocessing. */
  config?: Blob;
  labels?: string | Blob;
  labelsFile?: string;
  options: OpenOptions;
}

/** The options that the model in use was opened with: the names of its file and its labels', and options. */
export type OpenModel = OpenOptions & { file?: string; files?: string[]; labelsFile?: string; configFile?: string };

export interface EngineOptions {
  opening: Opening;
  assets: Assets;
  /** How many may compute side by side where there is no GPU. */
  workers: number;
  /** How many milliseconds a server may be silent. */
  timeout: number;
}

export interface EngineHandlers {
  onLoading?: (loading: LoadProgress) => unknown;
  /** `culprit` is the name of the model that failed before it had given an answer; `kept` says whether the picture is there. */
  onRestart?: (restart: { culprit: string | null; kept: boolean }) => unknown;
  onDead?: (error: PellucidError) => unknown;
}
