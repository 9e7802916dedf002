// Small helpers to make and find elements. Text is always set as text, never parsed as HTML.

/** @import { Child, ElementOf, Props } from './types' */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * The element of index.html that a selector names.
 * @template {string} Selector
 * @param {Selector} selector
 * @param {ParentNode} [root]
 */
export const $ = (selector, root = document) => /** @type {ElementOf<Selector>} */ (root.querySelector(selector));

/**
 * @template {HTMLElement} [E=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {E[]}
 */
export const $$ = (selector, root = document) => [.../** @type {NodeListOf<E>} */ (root.querySelectorAll(selector))];

/**
 * Makes an element: `h('button', { class: 'x', on: { click } }, 'Text', child)`.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Props} [props]
 * @param {...Child} children
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  // Whoever comes back to the page finds it as new, and no browser is to fill in what was chosen before.
  if (tag === 'input' || tag === 'select') element.setAttribute('autocomplete', 'off');
  for (const [key, value] of Object.entries(props)) assign(element, key, value);
  element.append(...flattened(children));
  return element;
}

/**
 * The children, in order, that are there.
 * @param {Child[]} children
 * @returns {(Node | string)[]}
 */
const flattened = (children) =>
  children.flatMap((child) => {
    if (Array.isArray(child)) return flattened(child);
    return child === null || child === undefined || child === false ? [] : [child];
  });

/** @param {HTMLElement} element @param {string} key @param {any} value */
function assign(element, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (key === 'on') {
    for (const type in value) element.addEventListener(type, value[type]);
  } else if (key === 'data') {
    Object.assign(element.dataset, value);
  } else if (key === 'value' || key === 'checked') {
    Object.assign(element, { [key]: value });
  } else {
    element.setAttribute(key, value === true ? '' : value);
  }
}

/**
 * An icon from the sprite in index.html.
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

let counter = 0;
/**
 * An id that no other element has.
 * @param {string} prefix
 */
export const uid = (prefix) => `${prefix}-${++counter}`;

/**
 * Shows or hides an element with the `hidden` attribute.
 * @param {HTMLElement} element
 * @param {unknown} visible
 */
export function show(element, visible) {
  element.hidden = !visible;
}

/**
 * The context of a canvas, which none of ours lacks.
 * @param {HTMLCanvasElement} canvas
 */
export const contextOf = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));

/**
 * Has the browser save a file.
 * @param {Blob} file
 * @param {string} name
 */
export function offer(file, name) {
  const url = URL.createObjectURL(file);
  const link = h('a', { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
