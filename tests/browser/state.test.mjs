// What a new picture, a new model and a restart of the engine clear, without a browser.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { STATE_GROUPS, clearedByModel, clearedByPicture, clearedByRestart, initialState } from '../../www/page/state/state.js';
import { createStore } from '../../www/page/state/store.js';

/** A store in which every key has been used. */
function used() {
  const store = createStore(initialState());
  store.set(Object.fromEntries(Object.keys(store.state).map((key) => [key, 'used'])));
  return store;
}

const usedKeys = ({ state }) => Object.keys(state).filter((key) => state[key] === 'used').sort();
const keysOf = (...groups) => groups.flatMap((group) => Object.keys(STATE_GROUPS[group])).sort();

describe('the state', () => {
  it('has each key in one group', () => {
    const all = keysOf(...Object.keys(STATE_GROUPS));
    assert.deepEqual(all, [...new Set(all)]);
    assert.deepEqual(Object.keys(initialState()).sort(), all);
  });

  for (const [what, cleared, kept] of [
    ['a restart', clearedByRestart, ['lasting', 'perModel', 'perPicture']],
    ['another picture', clearedByPicture, ['lasting', 'perModel']],
    ['another model', clearedByModel, ['lasting']],
  ]) {
    it(`keeps of ${what} what belongs to more, and has the rest as at first`, () => {
      const store = used();
      store.set(cleared());
      assert.deepEqual(usedKeys(store), keysOf(...kept));
      const first = initialState();
      for (const key of Object.keys(cleared())) assert.deepEqual(store.state[key], first[key], key);
    });
  }

  it('forgets with a picture what was said of it, and keeps what the reader chose', () => {
    const picture = Object.keys(clearedByPicture());
    for (const key of ['crop', 'classes', 'target', 'versus', 'comparedClasses', 'frame', 'values', 'panels', 'whatIf']) assert.ok(picture.includes(key), key);
    for (const key of ['method', 'parameters', 'display', 'files', 'layer', 'lock', 'run']) assert.ok(!picture.includes(key), key);
    const model = Object.keys(clearedByModel());
    for (const key of ['layer', 'optionalLayer', 'lock', 'run', ...picture]) assert.ok(model.includes(key), key);
  });

  it('tells a watcher of what it watches alone', () => {
    const store = createStore({ a: 1, b: 1 });
    const seen = [];
    const end = store.watch(({ a }) => [a], (a) => seen.push(a));
    store.set({ b: 2 });
    store.set({ a: 2 });
    end();
    store.set({ a: 3 });
    assert.deepEqual(seen, [1, 2]);
  });
});
