// One observable state: views watch the part that they draw, flows change it.

/** @import { StoreOf } from '../types' */

/**
 * @template {object} S
 * @param {S} initial
 * @returns {StoreOf<S>}
 */
export function createStore(initial) {
  let state = initial;
  /** @type {Set<() => void>} */
  const watchers = new Set();

  /** @type {StoreOf<S>['set']} */
  function set(patch) {
    state = { ...state, ...patch };
    for (const watcher of [...watchers]) watcher();
  }

  /** @type {StoreOf<S>['watch']} */
  function watch(select, react) {
    /** @type {unknown[] | undefined} */
    let previous;
    const check = () => {
      const next = select(state);
      const before = previous;
      if (before && next.every((value, i) => Object.is(value, before[i]))) return;
      previous = next;
      react(...next);
    };
    watchers.add(check);
    check();
    return () => watchers.delete(check);
  }

  return {
    get state() {
      return state;
    },
    set,
    watch,
  };
}
