// Tells whoever embeds or tests the page what happens in it.
/** @import { Store } from '../types' */


/** @param {Store} store */
export function setUpEvents(store) {
  /**
   * @param {string} name
   * @param {unknown} detail
   */
  const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`pellucid-${name}`, { detail }));
  store.watch(({ info }) => [info], (info) => info && tell('ready', info));
  store.watch(({ classes }) => [classes], (classes) => classes && tell('classes', classes));
  store.watch(({ run }) => [run.progress], (progress) => progress && tell('progress', progress));
  store.watch(
    ({ values, run }) => [values, run.result],
    (values, result) => {
      const { maps, k = 0, version } = store.state.run;
      if (result && values && values.map === maps?.[k] && values.version === version) tell('result', { result, values });
    },
  );
}
