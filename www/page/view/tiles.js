// Small pictures side by side, each with a title and a note: a click on one makes it the large one.

/** @import { Pixels } from '../../api/pellucid' */

import { contextOf, h } from '../dom.js';

/**
 * A small picture; an idle one cannot be picked yet.
 * @typedef {{ key: string, title: string, note: string, idle?: boolean }} Tile
 */

/**
 * `onPick(key)` hears of a click.
 * @param {(key: string) => unknown} onPick
 */
export function createTiles(onPick) {
  const element = h('div', { class: 'tiles' });
  /** @type {Map<string, ReturnType<typeof make>>} */
  let tiles = new Map();

  /** @param {string} key */
  function make(key) {
    const canvas = h('canvas', { width: 1, height: 1 });
    const title = h('span', { class: 'tile-title' });
    const note = h('span', { class: 'tile-note' });
    const button = h('button', { type: 'button', class: 'tile', on: { click: () => onPick(key) } }, canvas, title, note);
    return { button, canvas, title, note };
  }

  /**
   * @param {Tile[]} items
   * @param {string | null} current
   */
  function update(items, current) {
    const before = [...tiles.keys()].join();
    tiles = new Map(items.map(({ key }) => [key, tiles.get(key) ?? make(key)]));
    if (before !== [...tiles.keys()].join()) element.replaceChildren(...[...tiles.values()].map(({ button }) => button));
    for (const { key, title, note, idle } of items) {
      const tile = tiles.get(key);
      if (!tile) continue;
      tile.title.textContent = tile.button.title = title;
      tile.note.textContent = note;
      tile.button.disabled = Boolean(idle);
      tile.button.setAttribute('aria-pressed', String(key === current));
    }
  }

  /**
   * @param {string} key
   * @param {Pixels} image
   */
  function paint(key, { width, height, rgba }) {
    const canvas = tiles.get(key)?.canvas;
    if (!canvas) return;
    Object.assign(canvas, { width, height });
    contextOf(canvas).putImageData(new ImageData(rgba, width, height), 0, 0);
  }

  return { element, update, paint };
}
