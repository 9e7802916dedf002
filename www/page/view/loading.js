// The progress of what is waited for, in real counts of bytes.

/** @import { Loading, State } from '../types' */

import { bytes } from '../format.js';

/**
 * Says how far the engine is with its start, or with a model.
 * @param {Loading | null} loading
 * @param {'gpu' | 'cpu'} [backend]
 */
export function loadingText(loading, backend) {
  if (!loading) return 'Starting';
  if (loading.stage === 'open') {
    if (loading.step === 'read') return `Reading the model, ${part([loading.done, loading.total])}`;
    if (loading.step === 'parse') return 'Understanding the network';
    return backend === 'gpu' ? 'Moving the weights to the GPU' : 'Preparing the network';
  }
  const { engine, model } = loading.received;
  const parts = [engine[0] > 0 && `engine ${part(engine)}`, model[0] > 0 && `model ${part(model)}`].filter(Boolean);
  return `Downloading ${parts.join(', ')}`;
}

/** @param {[number, number]} received */
const part = ([got, total]) => (total > got ? `${bytes(got)} of ${bytes(total)}` : bytes(got));

/**
 * How far it is, from 0 to 1, or null where that is not known.
 * @param {Loading | null} loading
 */
export function loadingShare(loading) {
  if (!loading) return null;
  if (loading.stage === 'open') return loading.step === 'read' && loading.total ? loading.done / loading.total : null;
  const { engine, model } = loading.received;
  if (!(engine[1] && model[1])) return null;
  return (engine[0] + model[0]) / (engine[1] + model[1]);
}

/**
 * The text on what is waited for until there are answers, and the share where there is one. Null where nothing is.
 * @param {State} state
 */
export function waitingOf({ engine, loading, opening, openingModel, crop, classes, info }) {
  if (engine === 'dead') return null;
  if (engine === 'loading') return { text: loadingText(loading), share: loadingShare(loading), isLong: true };
  if (openingModel) return { text: loading ? loadingText(loading, info?.backend.kind) : 'Opening the model', share: loadingShare(loading), isLong: true };
  if (opening) return { text: 'Reading the picture', share: null, isLong: false };
  return crop && !classes ? { text: 'Asking the network', share: null, isLong: false } : null;
}

/**
 * Shows it in a bar.
 * @param {HTMLProgressElement} bar
 * @param {number | null | undefined} share
 */
export function fill(bar, share) {
  if (share === null || share === undefined) bar.removeAttribute('value');
  else bar.value = share;
}
