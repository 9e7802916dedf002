// The colour bar with its numbers and unit, and plain words where a map would mislead.

/** @import { Drawing } from '../../api/pellucid' */
/** @import { State, Store } from '../types' */

import { $, contextOf, h, show } from '../dom.js';
import { percent } from '../format.js';

/** @param {Store} store */
export function setUpLegend(store) {
  const legend = $('#legend');
  const bar = contextOf($('#legend-bar'));

  store.watch(
    ({ frame, values, lock, run }) => [frame, values?.unit, lock, run.asked],
    (frame, unit, lock) => {
      show(legend, frame?.legend.length);
      if (!frame?.legend.length) return;
      bar.putImageData(new ImageData(frame.legend, frame.legend.length / 4, 1), 0, 0);
      $('#legend-ticks').replaceChildren(...frame.ticks.map(tick));
      const { low, high } = frame.scale;
      $('#legend-low').textContent = low < 0 ? '← against' : '';
      $('#legend-unit').textContent = unit ?? '';
      $('#legend-high').textContent = high > 0 && low < 0 ? 'for →' : '';
      const text = scaleNote(store.state, frame.scale);
      show($('#legend-note'), Boolean(text));
      $('#legend-note').textContent = text;
    },
  );

  store.watch(({ frame }) => [frame], (frame) => drawMessage(store, frame));
}

/**
 * Whose scale it is, if not the map's own, and what lies beyond it.
 * @param {State} state
 * @param {Drawing['scale']} scale
 */
function scaleNote({ lock, run, values }, { clipped_fraction: beyond }) {
  const other = lock && lock.unit !== values?.unit ? `, where the unit is ${lock.unit}` : '';
  return [
    lock ? `Scale locked: that of ${lock.of}${other}` : run.shared && `One scale for all ${run.asked?.targets.length} classes`,
    beyond > 0 && `${percent(beyond)} of the values lie beyond the scale`,
  ]
    .filter(Boolean)
    .join('; ');
}

/** @param {Drawing['ticks'][number]} tick */
function tick({ position, label }) {
  const edge = position < 0.03 ? 'first' : position > 0.97 ? 'last' : null;
  const element = h('span', { class: edge }, label.replaceAll('-', '−'));
  element.style.setProperty('left', `${position * 100}%`);
  return element;
}

/**
 * The engine's notice on the map: that it is zero, or all of one sign; and a way out.
 * @param {Store} store
 * @param {Pick<Drawing, 'notice' | 'all_negative'> | null} [drawing]
 */
function drawMessage(store, drawing) {
  const message = $('#map-message');
  const text = drawing?.notice ?? null;
  show(message, Boolean(text));
  if (message.firstChild?.textContent === text) return;
  const other = drawing?.all_negative ? ['negative', 'Show what counts against'] : ['positive', 'Show what counts for'];
  const way = h('button', { type: 'button', class: 'button small' }, other[1]);
  way.addEventListener('click', () => store.set({ display: { ...store.state.display, sign: other[0] } }));
  const hidden = text?.includes('Show the');
  message.replaceChildren(...(text ? [h('p', {}, text)] : []), ...(hidden ? [way] : []));
}
