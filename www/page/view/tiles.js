// Small pictures side by side, each with a title and a note: a click on one makes it the large one.

import { h } from '../dom.js';

/**
 * `onPick(key)` hears of a click. Returns `{ element, update(items, current), paint(key, frame) }` with items
 * `{ key, title, note, idle }`: an idle one cannot be picked yet.
 */
export function createTiles(onPick) {
  const element = h('div', { class: 'tiles' });
  let tiles = new Map();

  function make(key) {
    const [canvas, title, note] = [h('canvas', { width: 1, height: 1 }), h('span', { class: 'tile-title' }), h('span', { class: 'tile-note' })];
    const button = h('button', { type: 'button', class: 'tile', on: { click: () => onPick(key) } }, canvas, title, note);
    return { button, canvas, title, note };
  }

  function update(items, current) {
    const before = [...tiles.keys()].join();
    tiles = new Map(items.map(({ key }) => [key, tiles.get(key) ?? make(key)]));
    if (before !== [...tiles.keys()].join()) element.replaceChildren(...[...tiles.values()].map(({ button }) => button));
    for (const { key, title, note, idle } of items) {
      const tile = tiles.get(key);
      tile.title.textContent = tile.button.title = title;
      tile.note.textContent = note;
      tile.button.disabled = Boolean(idle);
      tile.button.setAttribute('aria-pressed', key === current);
    }
  }

  function paint(key, { width, height, rgba }) {
    const canvas = tiles.get(key)?.canvas;
    if (!canvas) return;
    Object.assign(canvas, { width, height });
    canvas.getContext('2d').putImageData(new ImageData(rgba, width, height), 0, 0);
  }

  return { element, update, paint };
}
