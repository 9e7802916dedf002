// A button that opens a list to choose from, with search where the list is long. Follows the ARIA combobox
// pattern: focus stays in the search field (or on the list), the active option is told by aria-activedescendant.


import { h, icon, uid } from '../dom.js';
import { anchored } from './sheet.js';

const MOST_SHOWN = 200;

/** @typedef {{ group?: string }} GroupedItem */

/**
 * An option; a search finds it by its label, detail and further words.
 * @template Value
 * @typedef {GroupedItem & { value: Value, label: string, note?: string, detail?: string, swatch?: HTMLElement, words?: string }} Item
 */

/**
 * `onPick(value)` hears the choice.
 * @template Value
 * @param {object} of
 * @param {string} of.label
 * @param {() => Item<Value>[]} of.items
 * @param {(value: Value) => unknown} of.onPick
 * @param {boolean} [of.search]
 * @param {string} [of.placeholder]
 * @param {number} [of.minWidth]
 */
export function createPicker({ label, items, onPick, search = false, placeholder = 'Choose', minWidth = 0 }) {
  const ids = { button: uid('picker'), label: uid('picker-label'), list: uid('list') };
  const name = h('span', { id: uid('picker-value') });
  const button = h(
    'button',
    {
      type: 'button',
      class: 'picker-button',
      id: ids.button,
      'aria-haspopup': 'listbox',
      'aria-expanded': 'false',
      'aria-labelledby': `${ids.label} ${name.id}`,
    },
    name,
    icon('chevron'),
  );
  const list = h('div', {
    class: 'options',
    id: ids.list,
    role: 'listbox',
    'aria-labelledby': ids.label,
    tabindex: search ? null : '0',
    autofocus: !search,
  });
  const input = search
    ? h('input', {
        type: 'search',
        role: 'combobox',
        autocomplete: 'off',
        autofocus: true,
        spellcheck: 'false',
        placeholder: 'Search',
        'aria-labelledby': ids.label,
        'aria-autocomplete': 'list',
        'aria-expanded': 'true',
        'aria-controls': ids.list,
      })
    : null;
  const sheet = h('div', { class: 'sheet', popover: 'auto' }, input ? h('div', { class: 'search' }, icon('search'), input) : null, list);
  const element = [h('span', { class: 'field-label', id: ids.label }, label), button, sheet];
  const place = anchored(sheet, button, { minWidth });
  const focus = input ?? list;
  /** @type {Value | null} */
  let value = null;
  /** @type {Item<Value>[]} */
  let shown = [];
  let active = -1;
  let typed = { text: '', at: 0 };

  function draw(query = '') {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = items().filter((item) => {
      const text = `${item.label} ${item.words ?? ''} ${item.detail ?? ''}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    if (words.length) matches.sort((a, b) => rank(a, words[0]) - rank(b, words[0]));
    shown = matches.slice(0, MOST_SHOWN);
    list.replaceChildren(...grouped(shown, (item, index) => option(item, index, item.value === value)));
    if (!matches.length) list.append(h('p', { class: 'empty' }, `Nothing is called “${query}”.`));
    if (matches.length > shown.length) list.append(h('p', { class: 'empty' }, `${matches.length - shown.length} more: type to find them.`));
    const current = shown.findIndex((item) => item.value === value);
    activate(current >= 0 && !words.length ? current : shown.length ? 0 : -1);
  }

  /** @param {number} index */
  function activate(index) {
    const options = list.querySelectorAll('[role="option"]');
    options[active]?.classList.remove('active');
    active = index;
    const option = options[index];
    option?.classList.add('active');
    if (option) focus.setAttribute('aria-activedescendant', option.id);
    else focus.removeAttribute('aria-activedescendant');
    option?.scrollIntoView({ block: 'nearest' });
  }

  /**
   * The button is the popover's invoker, so that a click on it while the list is open closes the list. The browser
   * moves the focus (autofocus) as it opens: what is typed right after is not lost.
   */
  button.popoverTargetElement = sheet;
  sheet.addEventListener('beforetoggle', ({ newState }) => {
    if (newState !== 'open') return;
    if (input) input.value = '';
    draw();
  });
  sheet.addEventListener('toggle', ({ newState }) => {
    button.setAttribute('aria-expanded', String(newState === 'open'));
    if (newState !== 'open') return;
    place();
    activate(active);
  });

  /** @param {number} index */
  function pick(index) {
    const item = shown[index];
    if (!item) return;
    sheet.hidePopover();
    button.focus();
    onPick(item.value);
  }

  /**
   * Without a search field, typed letters jump to the next option that starts with them.
   * @param {string} key
   */
  function jump(key) {
    const now = performance.now();
    typed = { text: now - typed.at < 700 ? typed.text + key : key, at: now };
    const index = shown.findIndex((item) => item.label.toLowerCase().startsWith(typed.text.toLowerCase()));
    if (index >= 0) activate(index);
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const last = shown.length - 1;
    /** @type {Record<string, number>} */
    const moves = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + 8, PageUp: active - 8 };
    if (!input) Object.assign(moves, { Home: 0, End: last });
    if (event.key in moves) activate(Math.max(0, Math.min(last, moves[event.key])));
    else if (event.key === 'Enter' || (event.key === ' ' && !input)) pick(active);
    else if (event.key === 'Tab') return sheet.hidePopover();
    else if (!input && event.key.length === 1 && !event.ctrlKey && !event.metaKey) jump(event.key);
    else return;
    event.preventDefault();
  }

  button.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      sheet.showPopover();
    }
  });
  focus.addEventListener('keydown', onKey);
  input?.addEventListener('input', () => (draw(input.value), place()));
  const indexAt = (/** @type {Event} */ { target }) => {
    const option = target instanceof Element && target.closest('[role="option"]');
    return option instanceof HTMLElement ? Number(option.dataset.index) : null;
  };
  list.addEventListener('pointermove', (event) => {
    const index = indexAt(event);
    if (index !== null && index !== active) activate(index);
  });
  list.addEventListener('click', (event) => {
    const index = indexAt(event);
    if (index !== null) pick(index);
  });

  /**
   * @param {Value | null} next
   * @param {string | null} [text]
   * @param {HTMLElement} [swatch]
   */
  function update(next, text, swatch) {
    value = next;
    name.textContent = text ?? placeholder;
    name.classList.toggle('placeholder', text === undefined || text === null);
    button.querySelector('.swatch')?.remove();
    if (swatch) button.append(swatch);
  }
  update(null);
  return { element, button, update };
}

/**
 * Exact first, then whole words, then beginnings; the order of the items breaks ties.
 * @param {{ label: string }} item
 * @param {string} word
 */
const rank = (item, word) => {
  const text = item.label.toLowerCase();
  if (text === word) return 0;
  if (text.split(/[^\p{L}\p{N}]+/u).includes(word)) return 1;
  return text.startsWith(word) ? 2 : 3;
};

/**
 * The elements that `make(item, index)` makes of the items, under their groups' labels.
 * @template {GroupedItem} G
 * @param {G[]} items
 * @param {(item: G, index: number) => HTMLElement} make
 */
export function grouped(items, make) {
  /** @type {Map<string, HTMLElement[]>} */
  const groups = new Map();
  items.forEach((item, index) => {
    const group = item.group ?? '';
    groups.set(group, [...(groups.get(group) ?? []), make(item, index)]);
  });
  return [...groups].map(([group, options]) => {
    if (!group) return h('div', { role: 'presentation' }, options);
    const id = uid('group');
    return h('div', { role: 'group', 'aria-labelledby': id }, h('div', { class: 'group-label', id }, group), options);
  });
}

/**
 * @param {Item<unknown>} item
 * @param {number} index
 * @param {boolean} selected
 */
function option(item, index, selected) {
  return h(
    'div',
    { class: 'option', role: 'option', id: uid('option'), 'aria-selected': String(selected), data: { index } },
    h('span', { class: 'option-label' }, item.label),
    item.swatch ?? (item.note ? h('span', { class: 'option-note' }, item.note) : null),
    item.detail ? h('span', { class: 'option-detail' }, item.detail) : null,
  );
}
