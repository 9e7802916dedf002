// The tag's view: pictures, answers, controls, and words where something is wrong.

/** @import { Controls, Offer, Panel, Picture, Shown } from './types' */

import { h, paint, percent } from './dom.js';
import { PanelView } from './panel.js';

/** The families of methods, in the registry's words and the reader's. */
const GROUPS = /** @type {Record<string, string>} */ ({ regions: 'Regions of a layer', pixels: 'Single pixels', hiding: 'By hiding parts' });

/** Handlers of the controls. */
/** @typedef {{ method: (id: string) => void, target: (index: number) => void, opacity: (value: number) => void, again: () => void }} Hands */

export class View {
  #panels = [new PanelView()];
  #pictures = h('div', { class: 'pictures', part: 'pictures' }, this.#panels[0].element);
  #classes = h('div', { class: 'classes', role: 'radiogroup', 'aria-label': 'Class' });
  #answers = h('div', { class: 'group', part: 'classes', hidden: true }, h('div', { class: 'label' }, 'The network sees'), this.#classes);
  #answer = h('div', { class: 'answer', part: 'answer', hidden: true });
  #method;
  #methods = h('div', { class: 'group hands', part: 'method', hidden: true });
  #opacity = h('input', { class: 'range', type: 'range', min: 0, max: 100, step: 1, 'aria-label': 'Strength of the overlay' });
  #share = h('output');
  #strength;
  #bar = h('canvas', { class: 'scale', width: 256, height: 1, 'aria-hidden': 'true' });
  #ticks = h('div', { class: 'ticks', 'aria-hidden': 'true' });
  #ends = h('div', { class: 'ends' });
  #legend = h('div', { class: 'legend', part: 'legend', hidden: true }, this.#bar, this.#ticks, this.#ends);
  #notice = h('p', { class: 'notice', part: 'notice', hidden: true });
  #made = h('p', { class: 'made', part: 'made', hidden: true });
  #notes = h('ul', { class: 'notes' });
  #more = h('details', { part: 'notes', hidden: true }, h('summary', {}, 'Notes'), this.#notes);
  #side;
  #body;
  #status = h('span', { class: 'quiet', role: 'status' });
  #error = h('div', { class: 'error', part: 'error', role: 'alert', hidden: true });
  #fallback = h('div', { class: 'fallback', part: 'fallback' }, h('slot'));
  #frame;
  #hands;
  #group = `class-${Math.random().toString(36).slice(2)}`;

  /**
   * @param {ShadowRoot} root
   * @param {Hands} hands
   */
  constructor(root, hands) {
    this.#hands = hands;
    this.#method = h('select', { 'aria-label': 'Method', onchange: () => hands.method(this.#method.value) });
    this.#methods.append(h('span', { class: 'label' }, 'Why? Method'), this.#method);
    this.#opacity.addEventListener('input', () => hands.opacity(this.#opacity.valueAsNumber / 100));
    this.#strength = h('div', { class: 'group hands', part: 'opacity', hidden: true }, h('span', { class: 'label' }, 'Strength of the overlay', this.#share), this.#opacity);
    const rest = [this.#answer, this.#answers, this.#methods, this.#strength, this.#legend, this.#notice, this.#made, this.#more];
    this.#side = h('div', { class: 'side', part: 'controls' }, ...rest);
    this.#body = h('div', { class: 'body' }, this.#pictures, this.#side);
    const slot = h('slot', { name: 'caption' });
    const caption = h('div', { class: 'caption', part: 'caption', hidden: true }, slot);
    slot.addEventListener('slotchange', () => void (caption.hidden = !slot.assignedNodes().length));
    this.#frame = h('div', { class: 'frame', part: 'frame' }, this.#fallback, this.#body, this.#error, caption, this.#status);
    root.append(this.#frame);
  }

  /**
   * @param {{ controls: Controls, dark: boolean, height: string | null }} look
   */
  dress({ controls, dark, height }) {
    const { classList, style } = this.#frame;
    for (const each of ['none', 'minimal', 'full']) classList.toggle(each, each === controls);
    classList.toggle('dark', dark);
    if (height) style.setProperty('--wide', `calc(${height} * var(--ratio, 1))`);
    else style.removeProperty('--wide');
    this.#side.hidden = controls === 'none';
    this.#controls = controls;
    this.#arrange();
  }

  /** @type {Controls} */
  #controls = 'full';
  #hasClasses = false;
  /** The classes that are listed, as text. */
  #listed = '';
  #hasMethods = false;

  /** Which of the parts that have something to show are shown. */
  #arrange() {
    const full = this.#controls === 'full';
    this.#answers.hidden = !full || !this.#hasClasses;
    this.#answer.hidden = full || !this.#answer.childElementCount;
    this.#methods.hidden = !full || !this.#hasMethods;
    this.#made.hidden = !full || !this.#made.textContent;
    this.#more.hidden = !full || !this.#notes.childElementCount;
  }

  /**
   * The picture by itself, while there is no map.
   * @param {string} src
   * @param {string} alt
   */
  preview(src, alt) {
    this.#fallback.hidden = true;
    this.#body.hidden = false;
    for (const panel of this.#panels) panel.preview(src, alt);
  }

  /**
   * The picture as the network sees it.
   * @param {Picture} picture
   * @param {string} alt
   */
  see(picture, alt) {
    for (const panel of this.#panels) panel.see(picture, alt);
    this.#frame.style.setProperty('--ratio', String(picture.width / picture.height));
  }

  /** Nothing to show yet: the host's own content stands in. */
  wait(hasFallback = true) {
    this.#fallback.hidden = !hasFallback;
    this.#body.hidden = hasFallback;
  }

  /** @param {Offer} offer */
  offer({ methods, method }) {
    if (this.#method.childElementCount === 0) this.#method.append(...optionGroups(methods));
    this.#method.querySelector(':disabled')?.remove();
    // One that there is not stands there as what it is, so that another can be chosen.
    if (!methods.some(({ id }) => id === method)) this.#method.prepend(h('option', { value: method, disabled: true }, `${method}: unknown`));
    this.#method.value = method;
    this.#hasMethods = true;
    this.#arrange();
  }

  /**
   * Shows maps: of the run so far, or in the end with all that is said of them.
   * @param {Panel[]} panels
   * @param {string} alt
   */
  draw(panels, alt) {
    this.#resize(panels.length);
    panels.forEach((panel, i) => this.#panels[i].show(panel, { alt, titled: panels.length > 1 }));
    const [first] = panels;
    this.#tellOpacity(first.opacity);
    this.#strength.hidden = false;
    // One colour bar is for maps on one scale.
    const scaleOf = (/** @type {Panel} */ { ticks, unit }) => JSON.stringify([ticks, unit]);
    const isShared = first.legend.length > 0 && panels.every((panel) => scaleOf(panel) === scaleOf(first));
    this.#legend.hidden = !isShared;
    if (isShared) this.#drawLegend(first);
    this.#notice.textContent = panels.length === 1 ? (first.notice ?? '') : '';
    this.#notice.hidden = !this.#notice.textContent;
  }

  /**
   * @param {Shown} shown
   * @param {string} alt
   */
  show({ panels, classes, target, made, notes }, alt) {
    this.draw(panels, alt);
    this.list(classes, target);
    this.#made.textContent = made;
    this.#notes.replaceChildren(...notes.map((note) => h('li', {}, note)));
    this.#error.hidden = true;
    this.#status.textContent = made;
    this.progress(null);
    this.#arrange();
  }

  /** @param {number} count */
  #resize(count) {
    while (this.#panels.length < count) this.#panels.push(new PanelView());
    for (const panel of this.#panels.splice(count)) panel.free();
    this.#pictures.replaceChildren(...this.#panels.map(({ element }) => element));
    this.#frame.classList.toggle('several', count > 1);
  }

  /** @param {Panel} panel */
  #drawLegend({ legend, ticks, unit, signed }) {
    paint(this.#bar, { width: legend.length / 4, height: 1, rgba: legend });
    this.#ticks.replaceChildren(
      ...ticks.map(({ position, label }) => {
        const tick = h('span', { class: position < 0.03 ? 'tick first' : position > 0.97 ? 'tick last' : 'tick' }, label.replaceAll('-', '−'));
        tick.style.setProperty('left', `${position * 100}%`);
        return tick;
      }),
    );
    this.#ends.replaceChildren(h('span', {}, signed ? '← against' : ''), h('span', {}, unit), h('span', {}, signed ? 'for →' : ''));
  }

  /**
   * Lists the classes, and which of them is explained.
   * @param {Shown['classes']} classes
   * @param {number | null} target
   */
  list(classes, target) {
    this.#hasClasses = classes.length > 0;
    const chosen = classes.find(({ index }) => index === target);
    this.#answer.replaceChildren(...(chosen ? [h('span', { class: 'name' }, chosen.label), h('span', { class: 'share' }, shareOf(chosen))] : []));
    this.#arrange();
    const said = JSON.stringify(classes);
    // Whoever goes through them by keyboard stays where he is.
    if (said === this.#listed) return this.#classes.querySelectorAll('input').forEach((input) => void (input.checked = input.value === String(target)));
    this.#listed = said;
    this.#classes.replaceChildren(
      ...classes.map(({ index, label, probability, logit }) => {
        const input = h('input', { type: 'radio', name: this.#group, value: index, onchange: () => this.#hands.target(index) });
        input.checked = index === target;
        const amount = probability === null ? null : h('span', { class: 'amount' });
        amount?.style.setProperty('--share', String(probability));
        return h('label', { class: 'class' }, input, h('span', { class: 'name', title: label }, label), h('span', { class: 'share' }, shareOf({ probability, logit })), amount);
      }),
    );
  }

  /** @param {number} opacity */
  fade(opacity) {
    for (const panel of this.#panels) panel.fade(opacity);
    this.#tellOpacity(opacity);
  }

  /** @param {number} opacity */
  #tellOpacity(opacity) {
    this.#opacity.value = String(Math.round(opacity * 100));
    this.#share.textContent = `${Math.round(opacity * 100)} %`;
  }

  /**
   * @param {number | 'vague' | null} done
   * @param {string} [words]
   */
  progress(done, words) {
    this.#panels.forEach((panel, i) => panel.progress(i === 0 ? done : null));
    this.#pictures.setAttribute('aria-busy', String(done !== null));
    if (words) this.#status.textContent = words;
  }

  /**
   * The error, in a sentence.
   * @param {string | null} message
   * @param {boolean} mayRepeat
   */
  fail(message, mayRepeat) {
    this.progress(null);
    this.#error.hidden = message === null;
    if (message === null) return;
    const again = h('button', { class: 'again', type: 'button', onclick: () => this.#hands.again() }, 'Try again');
    this.#error.replaceChildren(h('span', {}, message), mayRepeat ? again : '');
  }

  /** Gives the pixels back. */
  free() {
    this.#resize(1);
    this.#panels[0].free();
    this.wait();
  }
}

/** @param {{ probability: number | null, logit: number }} score */
const shareOf = ({ probability, logit }) => (probability === null ? logit.toPrecision(3) : percent(probability));

/** @param {Offer['methods']} methods */
function optionGroups(methods) {
  const groups = [...new Set(methods.map(({ group }) => group))];
  return groups.map((group) =>
    h(
      'optgroup',
      { label: GROUPS[group] ?? group },
      ...methods.filter((method) => method.group === group).map(({ id, label }) => h('option', { value: id }, label)),
    ),
  );
}
