// Saving the page as one file, with pictures of the reader's choice.

/** @import { Sample, SaveFlow, Store } from '../types' */

import { h, icon, offer, show } from '../dom.js';
import { ofFile, samples } from '../samples.js';
import { notify, notifyError } from './notices.js';

/**
 * The controls; what is ticked goes into the file.
 * @param {Store} store
 * @param {SaveFlow} save
 */
export function setUpSave(store, save) {
  const list = h('div', { class: 'picks', role: 'group', 'aria-label': 'Pictures in the file' });
  /** @type {{ sample: Pick<Sample, 'file' | 'read'>, box: HTMLInputElement }[]} */
  const picks = [];

  /** @param {Sample} sample @param {boolean} checked */
  function add({ alt, url, ...sample }, checked) {
    const box = h('input', { type: 'checkbox', checked, 'aria-label': alt });
    picks.push({ sample, box });
    list.append(h('label', { class: 'pick', title: alt }, box, h('img', { src: url, alt: '', width: 48, height: 48, loading: 'lazy' })));
  }
  samples.then((all) => all.forEach((sample) => add(sample, true)));

  const input = h('input', { type: 'file', accept: 'image/*', multiple: true, hidden: true, 'aria-label': 'Pictures to add' });
  const more = h('button', { type: 'button', class: 'button small' }, icon('image'), 'Add pictures');
  more.addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    for (const file of input.files ?? []) add(ofFile(file), true);
    input.value = '';
  });

  const button = h('button', { type: 'button', class: 'button small primary', id: 'save-single' }, icon('save'), h('span', {}, 'Save as one file'));
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      const chosen = picks.filter(({ box }) => box.checked).map(({ sample: { file, read } }) => ({ name: file, read }));
      const file = await save(chosen);
      const name = `pellucid-${stem(store.state.info?.model.name)}.html`;
      offer(file, name);
      notify({ message: `The file ${name} has ${(file.size / 1e6).toFixed(1)} MB. It opens by a double click, without a network or a server.` });
    } catch (error) {
      notifyError(error);
    } finally {
      button.disabled = false;
    }
  });
  offerOpenPicture(store, add);
  store.watch(({ info }) => [info], (info) => show(button, info));
  return [
    h('h3', {}, 'Save as one file'),
    h('p', { class: 'muted' }, 'An HTML file with the engine, the model that is open, and these pictures: to mail, to teach with, or to keep.'),
    list,
    h('div', { class: 'row-buttons' }, more, button),
    input,
  ];
}

/**
 * Adds the picture that is open, where it is none of those that are there.
 * @param {Store} store
 * @param {(sample: Sample, checked: boolean) => void} add
 */
function offerOpenPicture(store, add) {
  const known = new WeakSet();
  store.watch(
    ({ picture }) => [picture],
    async (picture) => {
      if (!picture || known.has(picture.blob)) return;
      known.add(picture.blob);
      if ((await samples).some(({ file }) => file === picture.name)) return;
      add(ofFile(new File([picture.blob], picture.name, { type: picture.blob.type })), true);
    },
  );
}

/** A name as a part of a file's name. */
const stem = (/** @type {string | undefined} */ name) => (name ?? '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
