// One observable state: views watch the part that they draw, flows change it.

export function createStore(initial) {
  let state = initial;
  const watchers = new Set();

  function set(patch) {
    state = { ...state, ...patch };
    for (const watcher of [...watchers]) watcher();
  }

  /** Calls `react` with the selected values, now and whenever one of them changes. */
  function watch(select, react) {
    let previous;
    const check = () => {
      const next = select(state);
      if (previous && next.every((value, i) => Object.is(value, previous[i]))) return;
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
