// One map over its picture: two canvases, of which the upper has all of the map and the opacity that is chosen.

/** @import { Panel, Picture } from './types' */

import { h, paint } from './dom.js';

/** The picture itself, before there is a map. */
const blank = () => h('img', { alt: '', hidden: true, decoding: 'async' });

export class PanelView {
  #preview = blank();
  #picture = h('canvas', { part: 'picture', role: 'img', hidden: true });
  #under = h('canvas', { class: 'under', part: 'underlay', 'aria-hidden': 'true', hidden: true });
  #over = h('canvas', { class: 'overlay', part: 'overlay', role: 'img', hidden: true });
  #bar = h('div', { class: 'bar', hidden: true });
  #stage = h('div', { class: 'stage', part: 'stage' }, this.#preview, this.#picture, this.#under, this.#over, this.#bar);
  #title = h('figcaption', { class: 'title', part: 'title', hidden: true });
  element = h('figure', { class: 'panel', part: 'panel' }, this.#stage, this.#title);

  constructor() {
    const bare = (/** @type {boolean} */ is) => () => this.#stage.classList.toggle('bare', is && !this.#picture.hidden);
    // Whoever holds the picture sees it alone.
    this.#stage.addEventListener('pointerdown', bare(true));
    for (const type of ['pointerup', 'pointerleave', 'pointercancel']) this.#stage.addEventListener(type, bare(false));
  }

  /**
   * The picture by itself, until there is a map.
   * @param {string} src
   * @param {string} alt
   */
  preview(src, alt) {
    Object.assign(this.#preview, { src, alt, hidden: !this.#picture.hidden });
  }

  /**
   * The picture as the network sees it.
   * @param {Picture} picture
   * @param {string} alt
   */
  see(picture, alt) {
    paint(this.#picture, picture);
    this.#picture.setAttribute('aria-label', alt);
    this.#picture.removeAttribute('aria-hidden');
    this.#picture.hidden = false;
    this.#preview.hidden = true;
    this.#under.hidden = this.#over.hidden = true;
    this.#shape(picture);
  }

  /** @param {Picture} picture */
  #shape({ width, height }) {
    this.#stage.style.setProperty('--aspect', `${width} / ${height}`);
  }

  /**
   * @param {Panel} panel
   * @param {{ alt: string, titled: boolean }} how
   */
  show({ title, under, over, opacity }, { alt, titled }) {
    paint(this.#under, under);
    paint(this.#over, over);
    this.#shape(over);
    this.#over.setAttribute('aria-label', alt ? `${alt}: ${title}` : title);
    this.#picture.setAttribute('aria-hidden', 'true');
    this.#preview.hidden = true;
    this.#title.textContent = title;
    this.#title.hidden = !titled;
    this.#under.hidden = this.#over.hidden = false;
    this.fade(opacity);
  }

  /** @param {number} opacity */
  fade(opacity) {
    this.#over.style.setProperty('opacity', String(opacity));
  }

  /**
   * How far the work is, from 0 to 1; vague where that is not known, and gone where it is null.
   * @param {number | 'vague' | null} done
   */
  progress(done) {
    this.#bar.hidden = done === null;
    this.#bar.classList.toggle('vague', done === 'vague');
    if (typeof done === 'number') this.#bar.style.setProperty('--done', String(done));
  }

  /** Gives the pixels back. */
  free() {
    for (const canvas of [this.#picture, this.#under, this.#over]) Object.assign(canvas, { width: 0, height: 0, hidden: true });
    // Chromium keeps an image for good that loses its address out of the document, and the tag with it.
    const fresh = blank();
    this.#preview.replaceWith(fresh);
    this.#preview = fresh;
  }
}
