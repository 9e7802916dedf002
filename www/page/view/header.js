// The header: which model is open, and what it is computed on.

/** @import { Backend } from '../../api/pellucid' */
/** @import { Store } from '../types' */

import { $, h, show } from '../dom.js';
import { loadingText, waitingOf } from './loading.js';
import { anchored } from './sheet.js';

const KINDS = { gpu: 'GPU', cpu: 'CPU' };

/** @param {Store} store */
export function setUpHeader(store) {
  anchored($('#backend-sheet'), $('#backend-chip'), { minWidth: 320 });
  $('#model-button').addEventListener('click', () => store.set({ dialog: 'model' }));
  store.watch(
    ({ engine, loading, info, openingModel }) => [engine, loading, info, openingModel],
    (engine, loading, info, openingModel) => {
      const name =
        openingModel ? (waitingOf(store.state)?.text ?? '')
        : info ? info.model.name
        : engine === 'dead' ? 'No engine'
        : loadingText(loading);
      $('#model-name').textContent = name;
      $('#model-button').title = name;
      $('#model-button').disabled = !info;
      show($('#backend-chip'), Boolean(info));
      if (info) drawBackend(info.backend);
    },
  );
}

/** @param {Backend} backend */
function drawBackend({ kind, adapter, events }) {
  const name = KINDS[kind] ?? kind;
  $('#backend-name').textContent = name;
  $('#backend-chip').title = adapter ? `${name}: ${adapter}` : name;
  const why = {
    gpu: 'Gradients and perturbations run as WebGPU compute shaders.',
    cpu: 'The network runs in WebAssembly with SIMD. Everything works; a graphics processor would be faster.',
  };
  $('#backend-sheet').replaceChildren(
    h('h3', {}, adapter ? `${name}: ${adapter}` : name),
    h('p', { class: 'muted' }, why[kind] ?? ''),
    ...events.map((event) => h('p', { class: 'muted' }, event)),
  );
}
