// From a file to the first answers: decode, classify, choose the best class. Explaining follows by itself.

/** @import { Notices, PageEngine, PictureFlow, Store } from '../types' */

import { measure } from '../../shared/timings.js';
import { codeOf } from '../../shared/errors.js';
import { labelOf, pictureOf } from '../state/question.js';
import { clearedByPicture } from '../state/state.js';
import { tellBackend } from './backend.js';

/**
 * @param {Store} store
 * @param {PageEngine} engine
 * @param {Notices} notices
 * @returns {PictureFlow}
 */
export function createPictureFlow(store, engine, { clearErrors, notify, notifyError }) {
  let latest = 0;
  let first = true;
  /** Notices on the crop. @type {ReturnType<Notices['notify']>[]} */
  let told = [];

  /**
   * Takes a picture; a later one supersedes it at any point.
   * @type {PictureFlow['open']}
   */
  async function open(blob, name) {
    const turn = ++latest;
    store.set({ view: 'work', opening: true, coming: { blob, name } });
    try {
      const explainer = await engine.loaded;
      const crop = await explainer.see(blob);
      // The engine has this picture now, so the page shows it, though another may have been dropped meanwhile.
      clearErrors();
      store.set({ ...clearedByPicture(), picture: { blob, name }, opening: turn !== latest, crop });
      for (const notice of told) notice.remove();
      told = crop.notes.map((message) => notify({ message }));
    } catch (error) {
      if (turn !== latest) return;
      if (codeOf(error) !== 'cancelled') notifyError(error);
      store.set({ opening: false, view: store.state.picture ? 'work' : 'welcome' });
    }
    // After a picture that is none, the one before it may not have been asked about yet.
    if (turn === latest && store.state.crop && !store.state.classes) await classify(turn);
  }

  /** @param {number} turn */
  async function classify(turn) {
    try {
      const explainer = await engine.loaded;
      const answer = await explainer.classify(pictureOf(store.state));
      tellBackend(store, explainer.backend, notify);
      if (turn !== latest) return;
      const [best] = answer.classes;
      store.set({ classes: answer, target: { index: best.index, label: labelOf(store.state, best.index) } });
      if (!first) return;
      measure('first-run', ...answer.span);
      measure('first-classes', performance.timeOrigin, performance.timeOrigin + performance.now());
      first = false;
    } catch (error) {
      if (turn === latest && codeOf(error) !== 'cancelled') notifyError(error);
    }
  }

  /** Classifies the picture at hand again: after another model was opened, or the engine restarted. */
  async function again() {
    const { picture } = store.state;
    if (picture) await open(picture.blob, picture.name);
  }

  return { open, again };
}
