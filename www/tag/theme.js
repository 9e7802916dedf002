// Whether the host is light or dark, whatever its switch: by the colour that lies behind the tag.

/** Attributes by which generators switch: mdBook and VitePress by class, Material, Sphinx's themes and Docusaurus by data. */
const SWITCHES = ['class', 'style', 'data-theme', 'data-md-color-scheme', 'data-mode', 'data-color-mode', 'data-bs-theme', 'theme'];

/** Host pages fade from one theme to the next: when to look again, in milliseconds. */
const FADES = [0, 120, 400, 1000];

/** @type {Set<() => void>} */
const watchers = new Set();
let watching = false;

/**
 * Calls `changed` whenever the host may have another theme, until the function that it returns is called.
 * @param {() => void} changed
 */
export function watchTheme(changed) {
  watchers.add(changed);
  if (!watching) watch();
  return () => watchers.delete(changed);
}

function watch() {
  watching = true;
  const tell = () => FADES.forEach((after) => setTimeout(() => watchers.forEach((changed) => changed()), after));
  const observer = new MutationObserver(tell);
  for (const root of [document.documentElement, document.body]) observer.observe(root, { attributes: true, attributeFilter: SWITCHES });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', tell);
}

/**
 * Whether what lies behind an element is dark.
 * @param {Element} element
 */
export function isDark(element) {
  for (let at = /** @type {Element | null} */ (element); at; at = parentOf(at)) {
    const light = luminance(getComputedStyle(at).backgroundColor);
    if (light !== null) return light < 0.4;
  }
  // Nobody paints a ground: the browser does, by the colour scheme of a style or a `<meta>`, and lets its text stand out.
  return Number(luminance(getComputedStyle(document.documentElement).color)) > 0.5;
}

/** @param {Element} element */
function parentOf(element) {
  if (element.assignedSlot) return element.assignedSlot;
  const root = element.getRootNode();
  return element.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
}

/** @type {CanvasRenderingContext2D | null | undefined} */
let context;

/**
 * How light a colour is, 0 to 1; null where one sees through it.
 * @param {string} colour
 */
function luminance(colour) {
  context ??= Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
  if (!context) return null;
  context.clearRect(0, 0, 1, 1);
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
  return a < 128 ? null : (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}
