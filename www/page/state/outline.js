// The layers of a network as a tree: groups by the prefixes of their names, or, where names have none, by their size.

/** @import { Layer } from '../../api/pellucid' */
/** @import { Group, Leaf } from '../types' */

import { dimensions, plural } from '../format.js';

/** Fewest layers that are put into groups of one size. */
const MANY = 12;

/**
 * The nodes at the top of the tree, in the order of the layers.
 * @param {Layer[]} layers
 * @returns {(Group | Leaf)[]}
 */
export function outlineOf(layers) {
  const paths = layers.map(({ name }) => pathOf(name));
  const grouped = paths.filter(({ length }) => length > 1).length;
  if (grouped * 2 < layers.length) return layers.length < MANY ? layers.map((layer) => leaf(layer, layer.name)) : bySize(layers);
  /** @type {Group} */
  const root = { id: '', label: '', note: '', children: [] };
  layers.forEach((layer, i) => {
    const path = paths[i];
    const last = path.length - 1;
    groupAt(root, path.slice(0, last)).children.push(leaf(layer, path[last]));
  });
  return root.children.map((child) => tidied(child));
}

/**
 * The ids of the groups that a layer is in, the outermost first; nothing where it is in none.
 * @param {(Group | Leaf)[]} tree
 * @param {string | null} name
 * @returns {string[] | null}
 */
export function groupsOf(tree, name) {
  for (const node of tree) {
    if ('layer' in node) {
      if (node.layer.name === name) return [];
      continue;
    }
    const inner = groupsOf(node.children, name);
    if (inner) return [node.id, ...inner];
  }
  return null;
}

/**
 * The rows that are seen where these groups are open, each with its depth.
 * @param {(Group | Leaf)[]} tree
 * @param {Set<string>} open
 * @returns {{ node: Group | Leaf, level: number }[]}
 */
export const rowsOf = (tree, open, level = 1) =>
  tree.flatMap((node) => [{ node, level }, ...('children' in node && open.has(node.id) ? rowsOf(node.children, open, level + 1) : [])]);

/**
 * The parts of a name: most exporters divide it by slashes, some by dots.
 * @param {string} name
 */
function pathOf(name) {
  const parts = name.split('/').filter(Boolean);
  const path = parts.length === 1 ? name.split('.').filter(Boolean) : parts;
  return path.length ? path : [name];
}

/** @param {Layer} layer @param {string} label @returns {Leaf} */
const leaf = (layer, label) => ({ id: `layer ${layer.name}`, label, layer });

/**
 * @param {Group} root
 * @param {string[]} path
 */
function groupAt(root, path) {
  let at = root;
  for (const part of path) {
    const id = `${at.id}/${part}`;
    let next = at.children.find((child) => child.id === id);
    if (!next) at.children.push((next = { id, label: part, note: '', children: [] }));
    at = /** @type {Group} */ (next);
  }
  return at;
}

/**
 * A group of one is that one, under both names; the rest say what is in them.
 * @param {Group | Leaf} node
 * @returns {Group | Leaf}
 */
function tidied(node) {
  if ('layer' in node) return node;
  const children = node.children.map(tidied);
  if (children.length === 1) return { ...children[0], label: `${node.label}/${children[0].label}` };
  return { ...node, children, note: noteOf(children) };
}

/** @param {(Group | Leaf)[]} children */
function noteOf(children) {
  const layers = layersOf(children);
  const last = layers[layers.length - 1].shape;
  return `${plural(layers.length, 'layer')}, to ${dimensions(last)}`;
}

/** @param {(Group | Leaf)[]} nodes @returns {Layer[]} */
const layersOf = (nodes) => nodes.flatMap((node) => ('layer' in node ? [node.layer] : layersOf(node.children)));

/**
 * Layers that follow one another and have one height and width.
 * @param {Layer[]} layers
 */
function bySize(layers) {
  /** @type {Group[]} */
  const groups = [];
  for (const layer of layers) {
    const label = dimensions(layer.shape.slice(1));
    let group = groups.at(-1);
    if (group?.label !== label) groups.push((group = { id: `${groups.length} ${label}`, label, note: '', children: [] }));
    group.children.push(leaf(layer, layer.name));
  }
  return groups.map((group) => ({ ...group, note: plural(group.children.length, 'layer') }));
}
