// What happens in the page, told to whoever embeds or tests it.

export function setUpEvents(store) {
  const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`pellucid-${name}`, { detail }));
  store.watch(({ info }) => [info], (info) => info && tell('ready', info));
  store.watch(({ classes }) => [classes], (classes) => classes && tell('classes', classes));
  store.watch(({ run }) => [run.progress], (progress) => progress && tell('progress', progress));
  store.watch(
    ({ values, run }) => [values, run.result],
    (values, result) => {
      if (result && values && values.id === result.id && values.version === store.state.run.version) tell('result', { result, values });
    },
  );
}
