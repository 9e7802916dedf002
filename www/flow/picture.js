// From a file to the first answers: decode, classify, choose the best class. Explaining follows by itself.

import { measure } from '../core/timings.js';
import { clearErrors, notify, notifyError } from '../view/notices.js';
import { tellBackend } from './backend.js';
import { labelOf } from './question.js';

export function createPictureFlow(store, engine) {
  let latest = 0;
  let first = true;

  /** Takes a picture; a later one supersedes it at any point. */
  async function open(blob, name) {
    const turn = ++latest;
    const before = store.state;
    store.set({ view: 'work', opening: true, picture: { blob, name } });
    try {
      await engine.ready;
      const crop = await engine.loadImage(blob);
      if (turn !== latest) return;
      clearErrors();
      store.set({ opening: false, crop, classes: null, target: null, besideClasses: null, versus: null, frame: null, values: null });
      for (const message of crop.notes) notify({ message });
      await classify(turn);
    } catch (error) {
      if (turn !== latest) return;
      if (error.code !== 'cancelled') notifyError(error);
      const kept = before.crop ? { picture: before.picture } : { picture: null, view: 'welcome' };
      store.set({ opening: false, ...(store.state.crop === before.crop ? kept : {}) });
    }
  }

  async function classify(turn) {
    const answer = await engine.call('classify');
    tellBackend(store, answer.backend);
    if (turn !== latest) return;
    const [best] = answer.classes;
    store.set({ classes: answer, target: { index: best.index, label: labelOf(store.state, best.index) } });
    if (first) {
      measure('first-run', ...answer.span);
      measure('first-classes', performance.timeOrigin, performance.timeOrigin + performance.now());
      first = false;
    }
  }

  /** Classifies the picture at hand again: after another model was opened, or the engine restarted. */
  async function again() {
    const { picture } = store.state;
    if (picture) await open(picture.blob, picture.name);
  }

  return { open, again };
}
