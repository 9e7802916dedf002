// Messages that stay until they are read: what happened, its code, and what can be done.

/** @import { Notice } from '../types' */

import { $, $$, h, icon } from '../dom.js';
import { codeOf, messageOf, sentence } from '../../shared/errors.js';

const MOST = 3;

/**
 * Shows a message.
 * @param {Notice} notice
 */
export function notify({ kind = 'info', message, code, actions = [] }) {
  const close = h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Dismiss' }, icon('close'));
  const buttons = actions.map(({ label, run }) => {
    const button = h('button', { type: 'button', class: 'button small' }, label);
    button.addEventListener('click', () => (notice.remove(), run()));
    return button;
  });
  /** @type {HTMLElement} */
  const notice = h(
    'div',
    { class: `notice ${kind}`, role: kind === 'error' ? 'alert' : 'status', data: { code: code ?? '' } },
    icon(kind === 'error' ? 'warning' : 'info'),
    h('div', {}, h('p', {}, sentence(message)), code ? h('code', {}, `error: ${code}`) : null),
    close,
    buttons.length ? h('div', { class: 'actions' }, buttons) : null,
  );
  close.addEventListener('click', () => notice.remove());
  const list = listNow();
  for (const other of [...list.children]) if (other.textContent === notice.textContent) other.remove();
  list.append(notice);
  while (list.children.length > MOST) list.firstElementChild?.remove();
  return notice;
}

/**
 * An engine that crashed is told of once, where it is started again; one that cannot be, whenever it is asked.
 * @param {unknown} error
 */
export function notifyError(error) {
  const code = codeOf(error);
  const dead = error instanceof Error && 'dead' in error && error.dead;
  if (code === 'crashed' && !dead) return null;
  const actions = dead ? [{ label: 'Reload', run: () => location.reload() }] : [];
  return notify({ kind: 'error', message: messageOf(error), code, actions });
}

/** A dialog that is open has messages of its own: those of the page lie below it, and nobody can answer them. */
const listNow = () => $('dialog[open] .notices') ?? $('#notices');

/** Errors that are no longer true, once something worked. */
export function clearErrors() {
  for (const notice of $$('.notices .error')) notice.remove();
}

/** All messages, where they are no longer of what is there. */
export function clearNotices() {
  for (const list of $$('.notices')) list.replaceChildren();
}
