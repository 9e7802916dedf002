// Messages that stay until they are read: what happened, its code, and what can be done.

import { $, h, icon } from '../dom.js';

const MOST = 3;

/** Shows a message. `actions` are `{ label, run }`; `role` decides how urgently a screen reader says it. */
export function notify({ kind = 'info', message, code, actions = [] }) {
  const close = h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Dismiss' }, icon('close'));
  const buttons = actions.map(({ label, run }) =>
    h('button', { type: 'button', class: 'button small', on: { click: () => (notice.remove(), run()) } }, label),
  );
  const notice = h(
    'div',
    { class: `notice ${kind}`, role: kind === 'error' ? 'alert' : 'status', data: { code: code ?? '' } },
    icon(kind === 'error' ? 'warning' : 'info'),
    h('div', {}, h('p', {}, sentence(message)), code ? h('code', {}, `error: ${code}`) : null),
    close,
    buttons.length ? h('div', { class: 'actions' }, buttons) : null,
  );
  close.addEventListener('click', () => notice.remove());
  const list = $('#notices');
  for (const other of [...list.children]) if (other.textContent === notice.textContent) other.remove();
  list.append(notice);
  while (list.children.length > MOST) list.firstElementChild.remove();
  return notice;
}

/** An engine that crashed is told of once, where it is started again; one that cannot be, whenever it is asked. */
export function notifyError({ code = 'internal', message, dead }, actions) {
  if (code === 'crashed' && !dead) return null;
  return notify({ kind: 'error', message, code, actions: dead ? [{ label: 'Reload', run: () => location.reload() }] : actions });
}

/** Errors that are no longer true, once something worked. */
export function clearErrors() {
  for (const notice of $('#notices').querySelectorAll('.error')) notice.remove();
}

/** All messages, where they are no longer of what is there. */
export const clearNotices = () => $('#notices').replaceChildren();

const sentence = (text) => {
  const trimmed = String(text).trim();
  const full = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(full) ? full : `${full}.`;
};
