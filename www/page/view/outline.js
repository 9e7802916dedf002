// The outline of the network, from which a layer is picked: a tree after the ARIA pattern. Only rows that are seen are
// elements, so a network of many layers costs no more than one of few.

/** @import { Group, Leaf, Store } from '../types' */

import { $, h, icon, show, uid } from '../dom.js';
import { dimensions } from '../format.js';
import { groupsOf, outlineOf, rowsOf } from '../state/outline.js';
import { layerOf, methodOf } from '../state/question.js';

/** How long letters that are typed belong together, in milliseconds. */
const TYPING = 700;

/** @param {Store} store */
export function setUpOutline(store) {
  const details = /** @type {HTMLDetailsElement} */ ($('#outline'));
  const tree = h('div', { class: 'tree', role: 'tree', tabindex: '0', 'aria-label': 'Layers of the network, from the picture to the classes' });
  details.append(tree);
  /** @type {(Group | Leaf)[]} */
  let nodes = [];
  /** The groups that are open. @type {Set<string>} */
  let open = new Set();
  /** The id of the row that keys move from. @type {string | null} */
  let active = null;
  /** @type {ReturnType<typeof rowsOf>} */
  let rows = [];
  let typed = { text: '', at: 0 };

  function draw() {
    if (!details.open) return;
    rows = rowsOf(nodes, open);
    const chosen = layerOf(store.state);
    if (!rows.some(({ node }) => node.id === active)) active = (rows.find(({ node }) => isChosen(node, chosen)) ?? rows[0])?.node.id ?? null;
    tree.replaceChildren(...rows.map((row) => rowOf(row, open, { chosen, active })));
    point();
  }

  /** Moves to a row, and brings it into view. */
  function point() {
    const row = tree.querySelector('.active');
    if (row) tree.setAttribute('aria-activedescendant', row.id);
    else tree.removeAttribute('aria-activedescendant');
    // The list alone is moved, and never the page.
    if (row instanceof HTMLElement) {
      const { offsetTop: top, offsetHeight: height } = row;
      if (top < tree.scrollTop) tree.scrollTop = top;
      else if (top + height > tree.scrollTop + tree.clientHeight) tree.scrollTop = top + height - tree.clientHeight;
    }
  }

  /** @param {string | undefined} id */
  function go(id) {
    if (id === undefined || id === active) return;
    active = id;
    for (const row of tree.children) row.classList.toggle('active', /** @type {HTMLElement} */ (row).dataset.id === id);
    point();
  }

  /** @param {Group} group @param {boolean} [wanted] */
  function toggle(group, wanted = !open.has(group.id)) {
    if (wanted) open.add(group.id);
    else open.delete(group.id);
    draw();
  }

  /** @param {Group | Leaf} node */
  function pick(node) {
    active = node.id;
    if ('children' in node) return toggle(node);
    const { name } = node.layer;
    store.set(methodOf(store.state)?.layer === 'needed' ? { layer: name } : { optionalLayer: name });
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    const at = rows.findIndex(({ node }) => node.id === active);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const { node, level } = rows[at];
    const isGroup = 'children' in node;
    const parent = rows.slice(0, at).findLast((row) => row.level < level);
    /** @type {Record<string, () => unknown>} */
    const moves = {
      ArrowDown: () => go(rows[at + 1]?.node.id),
      ArrowUp: () => go(rows[at - 1]?.node.id),
      Home: () => go(rows[0].node.id),
      End: () => go(rows[rows.length - 1].node.id),
      ArrowRight: () => isGroup && (open.has(node.id) ? go(rows[at + 1].node.id) : toggle(node, true)),
      ArrowLeft: () => (isGroup && open.has(node.id) ? toggle(node, false) : go(parent?.node.id)),
      Enter: () => pick(node),
      ' ': () => pick(node),
    };
    const move = moves[event.key] ?? (event.key.length === 1 ? () => search(event.key, at) : null);
    if (!move) return;
    event.preventDefault();
    move();
  }

  /** Letters that are typed lead to the next row that begins so. @param {string} letter @param {number} at */
  function search(letter, at) {
    const now = performance.now();
    typed = { text: (now - typed.at < TYPING ? typed.text : '') + letter.toLowerCase(), at: now };
    const start = typed.text.length > 1 ? at : at + 1;
    const order = [...rows.slice(start), ...rows.slice(0, start)];
    go(order.find(({ node }) => node.label.toLowerCase().startsWith(typed.text))?.node.id);
  }

  tree.addEventListener('keydown', key);
  tree.addEventListener('click', ({ target }) => {
    const id = target instanceof Element && /** @type {HTMLElement | null} */ (target.closest('[data-id]'))?.dataset.id;
    const row = rows.find(({ node }) => node.id === id);
    if (row) pick(row.node);
  });
  details.addEventListener('toggle', () => {
    reveal();
    draw();
  });

  /** Opens the groups of the layer that is chosen. */
  function reveal() {
    const chosen = layerOf(store.state);
    for (const id of groupsOf(nodes, chosen) ?? []) open.add(id);
    if (chosen !== null) active = `layer ${chosen}`;
  }

  store.watch(({ info }) => [info?.model.layers], (layers) => {
    nodes = outlineOf(layers ?? []);
    [open, active] = [new Set(), null];
    reveal();
    draw();
  });
  store.watch(
    ({ methods, method, layer, optionalLayer, info }) => [methods, method, layer, optionalLayer, info?.model],
    () => {
      show(details, nodes.length > 0 && (methodOf(store.state)?.layer ?? 'none') !== 'none');
      reveal();
      draw();
    },
  );
}

/** @param {Group | Leaf} node @param {string | null} chosen */
const isChosen = (node, chosen) => 'layer' in node && node.layer.name === chosen;

/**
 * @param {{ node: Group | Leaf, level: number }} row
 * @param {Set<string>} open
 * @param {{ chosen: string | null, active: string | null }} of
 */
function rowOf({ node, level }, open, { chosen, active }) {
  const isGroup = 'children' in node;
  const selected = isChosen(node, chosen);
  const element = h(
    'div',
    {
      id: uid('row'),
      class: `tree-row${isGroup ? ' group' : ''}${selected ? ' selected' : ''}${node.id === active ? ' active' : ''}`,
      role: 'treeitem',
      'aria-level': level,
      'aria-expanded': isGroup ? String(open.has(node.id)) : null,
      'aria-selected': isGroup ? null : String(selected),
      title: isGroup ? null : node.layer.name,
      data: { id: node.id },
    },
    isGroup ? icon('chevron') : selected ? icon('check') : h('span', { class: 'icon' }),
    h('span', { class: 'tree-name' }, node.label),
    h('span', { class: 'tree-note' }, isGroup ? node.note : `${node.layer.operator} · ${dimensions(node.layer.shape)}`),
  );
  element.style.setProperty('--level', String(level - 1));
  return element;
}
