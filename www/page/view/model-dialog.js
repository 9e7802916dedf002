// The model: what is open, a way to open another, and what its file may not say (scaling, head, labels).

/** @import { ModelFlow, PageEngine, RememberFlow, Store, TrialFlow } from '../types' */

import { $, h, icon, show } from '../dom.js';
import { MODEL_FILES, sorted } from '../files.js';
import { plural } from '../format.js';
import { createFileRow } from './file-row.js';
import { takeModel } from './intake.js';
import { fill, waitingOf } from './loading.js';
import { createCard } from './model-card.js';
import { createChoices } from './model-choices.js';
import { createTrialView } from './model-trial.js';
import { notifyError } from './notices.js';
import { createKeptList } from './remember.js';

/**
 * @param {Store} store
 * @param {{ model: ModelFlow, trial: TrialFlow, remember: RememberFlow }} flows
 * @param {PageEngine} engine
 */
export function setUpModelDialog(store, { model, trial, remember }, engine) {
  const dialog = $('#model-dialog');
  const card = createCard();
  const choices = createChoices(() => trial.ask(choices.read(), choices.fault()));
  const files = createFileRow({
    label: 'Choose a model',
    accept: MODEL_FILES,
    multiple: true,
    hint: 'with its data, labels and configuration, together; or drop them anywhere',
    onPick: (picked) => opened(picked),
  });
  /** Labels that are not accepted yet. @type {{ file: File, names: string[] } | null} */
  let picked = null;
  const answers = createTrialView(store, () => picked?.names ?? null);
  const labels = createFileRow({
    label: 'Choose labels',
    accept: '.txt,.json,.csv,.tsv,.names,.labels',
    hint: 'one class per line, or JSON, CSV, config.json',
    async onPick([file]) {
      picked = null;
      const names = await (await engine.loaded).readLabels(file);
      picked = { file, names };
      answers.draw();
      return `${plural(names.length, 'label')} from ${file.name}`;
    },
  });
  const [waitingText, bar] = [h('span', { role: 'status' }), h('progress', { max: 1, 'aria-label': 'Opening the model' })];
  const progress = h('div', { class: 'dialog-progress', hidden: true }, waitingText, bar);
  const apply = h('button', { type: 'submit', class: 'button primary' }, 'Apply');
  const cancel = h('button', { type: 'button', class: 'button' }, 'Cancel');
  const shipped = h('button', { type: 'button', class: 'button' }, 'Use the shipped model');
  const form = h(
    'form',
    { class: 'dialog-body' },
    h(
      'div',
      { class: 'dialog-side' },
      h(
        'fieldset',
        {},
        h('legend', {}, 'A model of your own'),
        h('div', { class: 'file-row' }, files.element, shipped),
        progress,
        h('p', { class: 'hint' }, 'Any image classifier in ONNX form. Nothing of it is uploaded.'),
        createKeptList(store, remember, () => model.parts.model !== undefined),
      ),
      card.facts,
      card.notes,
    ),
    h('fieldset', {}, h('legend', {}, 'What its file may not say'), answers.element, ...choices.element, labels.element),
    h('div', { class: 'dialog-actions' }, cancel, apply),
  );
  const close = h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close' }, icon('close'));
  for (const button of [close, cancel]) button.addEventListener('click', () => dialog.close());
  const messages = h('div', { class: 'notices', role: 'region', 'aria-label': 'Messages about the model' });
  dialog.append(h('div', { class: 'dialog-head' }, h('h2', { id: 'model-heading' }, 'Model'), close), messages, form);

  /** @param {File[]} chosen */
  async function opened(chosen) {
    const { images, idle, ...own } = await sorted(chosen);
    // Whatever was meant for a model is one: the engine says what it is instead.
    const parts = { ...own, model: own.model ?? images[0] };
    await busy(() => takeModel(parts, idle, model), false);
    return chosen.map(({ name }) => name).join(', ');
  }

  const busy = async (/** @type {() => Promise<boolean>} */ work, closes = true) => {
    try {
      if ((await work()) && closes) dialog.close();
    } catch (error) {
      notifyError(error);
    }
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    busy(() => model.choose(choices.read(), picked?.file));
  });
  shipped.addEventListener('click', () => busy(() => model.reset()));
  dialog.addEventListener('close', () => {
    // Messages that nobody has dismissed are still to be read.
    $('#notices').append(...messages.children);
    trial.leave();
    store.set({ dialog: null });
  });
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  store.watch(({ openingModel }) => [openingModel], (openingModel) => {
    for (const button of [apply, shipped, files.button, labels.button]) button.disabled = openingModel;
  });
  store.watch(
    ({ openingModel, loading, opening, crop, classes }) => [openingModel, loading, opening, crop, classes],
    () => {
      const waiting = waitingOf(store.state);
      show(progress, waiting);
      waitingText.textContent = waiting?.text ?? '';
      fill(bar, waiting?.share);
    },
  );
  store.watch(
    ({ dialog: which, info }) => [which, info?.model],
    (which, about) => {
      if (about) card.show(about);
      if (about) choices.show(about, model.choices);
      picked = null;
      labels.reset();
      if (which === 'model' && !dialog.open) {
        files.reset();
        dialog.showModal();
      }
    },
  );
}
