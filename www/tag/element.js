// The tag: <pellucid-explainer src="cat.jpg" method="grad-cam" target="tabby">. Nothing is fetched before it is near the
// viewport; tags that ask for the same model share one engine, one run at a time.

/** @import { Explainer, Explanation } from '../api/pellucid' */
/** @import { Api, Lease, LoadApi, ResultDetail, Shown } from './types' */

import { ASKED, ATTRIBUTES, METHOD, controlsFrom, lookFrom, numberFrom, openingFrom, parametersFrom } from './attributes.js';
import { lease } from './engines.js';
import { insideOf, sourceOf, watchInside } from './inside.js';
import { unwatchNear, watchNear } from './near.js';
import { failure, fetched } from './files.js';
import { precomputed } from './precomputed.js';
import { panelsOf, run } from './run.js';
import { styleSheet } from './style.js';
import { isDark, watchTheme } from './theme.js';
import { View } from './view.js';

const NAME = 'pellucid-explainer';

/** The base class. Without a document, as on a server, the class is there and does nothing. */
const Base = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (/** @type {unknown} */ (class {}));

/** @type {LoadApi} */
let loadApi;

/**
 * Defines the tag, unless another script of Pellucid has, or the browser is too old: then the host's own content shows.
 * @param {LoadApi} load
 */
export function define(load) {
  const { customElements: registry, CSSStyleSheet: Sheet } = globalThis;
  const parts = [registry, globalThis.IntersectionObserver, globalThis.OffscreenCanvas, globalThis.WebAssembly, Sheet && 'replaceSync' in Sheet.prototype];
  if (!parts.every(Boolean) || registry.get(NAME)) return;
  loadApi = load;
  registry.define(NAME, PellucidExplainer);
}

export class PellucidExplainer extends Base {
  static observedAttributes = ATTRIBUTES;

  /** @type {View | null} */
  #view = null;
  #isNear = false;
  /** Whether what is shown answers the attributes. */
  #isDone = false;
  #isPlanned = false;
  /** @type {AbortController | null} */
  #controller = null;
  /** @type {(Lease & { key: string }) | null} */
  #lease = null;
  /** The address of the picture that was asked for last. @type {string | undefined} */
  #source;
  /** The picture's file. @type {{ src: string, blob: Blob } | null} */
  #picture = null;
  /** The maps that are shown, and the explainer that made them. @type {{ explainer: Explainer, explanations: Explanation[], shown: Shown, alt: string } | null} */
  #last = null;
  /** What was told to be ready last. @type {{ explainer: Explainer, blob: Blob } | null} */
  #ready = null;
  /** @type {(() => void) | null} */
  #unwatchTheme = null;
  /** @type {(() => void) | null} */
  #unwatchInside = null;

  connectedCallback() {
    if (!this.#view) this.#build();
    this.#unwatchTheme ??= watchTheme(() => this.#dress());
    this.#unwatchInside ??= watchInside(this, () => this.#inspect());
    this.#dress();
    watchNear(this, (isNear) => this.#approach(isNear));
  }

  disconnectedCallback() {
    unwatchNear(this);
    this.#unwatchTheme?.();
    this.#unwatchTheme = null;
    this.#unwatchInside?.();
    this.#unwatchInside = null;
    // A tag that is moved in the document is gone for a moment only.
    queueMicrotask(() => !this.isConnected && this.#leave());
  }

  /** @param {string} name @param {string | null} before @param {string | null} now */
  attributeChangedCallback(name, before, now) {
    if (before === now || !this.#view) return;
    if (ASKED.includes(name)) this.refresh();
    else if (name === 'colours') this.#redraw();
    else if (name === 'alt') this.#inspect();
    else if (name === 'opacity') this.#view.fade(lookFrom(this).opacity ?? this.#last?.shown.panels[0].opacity ?? 1);
    else this.#dress();
  }

  /** Asks again for what the attributes say. */
  refresh() {
    this.#isDone = false;
    this.#controller?.abort();
    this.#plan();
  }

  /** The last explanations: one, or one for each method that is compared. */
  get explanations() {
    return this.#last?.explanations ?? [];
  }

  #build() {
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [styleSheet()];
    this.#view = new View(root, {
      method: (id) => this.#choose({ method: id, layer: null, parameters: null, score: null }),
      target: (index) => this.#choose({ target: `index:${index}` }),
      opacity: (value) => this.setAttribute('opacity', String(value)),
      again: () => this.refresh(),
    });
    // Properties that were set before the script came hide the accessors.
    for (const name of ATTRIBUTES) {
      if (!Object.hasOwn(this, name)) continue;
      const value = Reflect.get(this, name);
      Reflect.deleteProperty(this, name);
      Reflect.set(this, name, value);
    }
    this.#view.wait();
  }

  /**
   * The reader has chosen something.
   * @param {Record<string, string | null>} attributes
   */
  #choose(attributes) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null) this.removeAttribute(name);
      else this.setAttribute(name, value);
    }
  }

  #dress() {
    this.#view?.dress({ controls: controlsFrom(this.getAttribute('controls')), dark: isDark(this), height: lookFrom(this).height });
  }

  /** @param {boolean} isNear */
  #approach(isNear) {
    this.#isNear = isNear;
    if (isNear) this.#plan();
    // Whoever scrolls on does not wait for it.
    else if (!this.#isDone) this.#controller?.abort();
  }

  /** Begins when all attributes are set that are set together. */
  #plan() {
    if (this.#isPlanned || this.#isDone || !this.#isNear || !this.isConnected) return;
    this.#isPlanned = true;
    queueMicrotask(() => {
      this.#isPlanned = false;
      if (!this.#isDone && this.#isNear && this.isConnected) this.#begin();
    });
  }

  async #begin() {
    this.#controller?.abort();
    const { signal } = (this.#controller = new AbortController());
    try {
      this.#view?.fail(null, false);
      this.#view?.progress('vague', 'Loading');
      const address = this.getAttribute('precomputed');
      if (address) await this.#showFile(address, signal);
      else await this.#explain(signal);
      this.#isDone = true;
    } catch (error) {
      if (signal.aborted) return this.#view?.progress(null);
      this.#isDone = true;
      this.#fail(error);
    }
  }

  /** @param {AbortSignal} signal */
  async #explain(signal) {
    const view = /** @type {View} */ (this.#view);
    const { explainer: loading, inTurn } = this.#hire();
    const picture = this.#fetchPicture(signal);
    picture.catch(() => {});
    const asked = this.#asked();
    const explainer = await loading;
    if (signal.aborted) return;
    view.offer({ methods: explainer.methods(), method: asked.method });
    const blob = await picture;
    if (signal.aborted) return;
    if (this.#ready?.blob !== blob || this.#ready.explainer !== explainer) {
      this.#ready = { blob, explainer };
      const { model, backend } = explainer;
      this.#tell('ready', { explainer, model, backend });
    }
    await inTurn(async () => {
      if (!this.#last) view.see(await explainer.see(blob, { signal }), this.#alt);
      const { shown, explanations } = await run(explainer, blob, asked, lookFrom(this), {
        signal,
        // What is listed stays while another map of the same picture is made.
        onClasses: (classes) => signal.aborted || this.#last || view.list(classes, (asked.target ?? asked.compare) ? null : classes[0].index),
        onProgress: (done, total) => {
          if (signal.aborted) return;
          view.progress(done / total);
          this.#tell('progress', { done, total });
        },
        onPartial: (panels) => !signal.aborted && view.draw(panels, this.#alt),
      });
      if (signal.aborted) return;
      this.#last = { explainer, explanations, shown, alt: this.#alt };
      view.show(shown, this.#alt);
      this.#tell('result', /** @type {ResultDetail} */ ({ explanation: explanations[0], explanations }));
    }, signal);
  }

  /**
   * Shows a map that was made before: there is no engine.
   * @param {string} address
   * @param {AbortSignal} signal
   */
  async #showFile(address, signal) {
    const view = /** @type {View} */ (this.#view);
    const [blob, file] = await Promise.all([this.#fetchPicture(signal), fetched(address, signal)]);
    const { shown, explanations } = await precomputed(file, blob, lookFrom(this));
    if (signal.aborted) return;
    view.show(shown, this.#alt);
    this.#tell('result', /** @type {ResultDetail} */ ({ explanation: explanations[0], explanations }));
  }

  /** The explainer of the model that the attributes name. */
  #hire() {
    const wanted = openingFrom(this);
    const key = JSON.stringify(wanted);
    if (this.#lease?.key !== key) {
      const before = this.#lease;
      this.#lease = { ...lease(loadApi, wanted), key };
      before?.release();
      this.#last = null;
    }
    const held = /** @type {Lease & { key: string }} */ (this.#lease);
    // One that could not be loaded is asked for again the next time.
    held.explainer.catch(() => this.#lease === held && this.#dismiss());
    return held;
  }

  #dismiss() {
    this.#lease?.release();
    this.#lease = null;
    this.#last = null;
  }

  /** @param {AbortSignal} signal */
  async #fetchPicture(signal) {
    const src = (this.#source = await this.#address());
    if (!src) throw failure('argument', 'No picture is named. Set src to the address of one, or put an <img> inside.');
    if (this.#picture?.src === src) return this.#picture.blob;
    this.#last = null;
    this.#view?.preview(src, this.#alt);
    const blob = await fetched(src, signal);
    this.#picture = { src, blob };
    return blob;
  }

  /**
   * The address of the picture: the attribute, or what the picture inside has, whose address generators of sites rewrite
   * as they move pages and pictures.
   */
  async #address() {
    const own = () => this.getAttribute('src') || sourceOf(this);
    // A script in the head runs before what is inside has come.
    if (!own() && document.readyState === 'loading') {
      await new Promise((resolve) => document.addEventListener('DOMContentLoaded', resolve, { once: true }));
    }
    return own();
  }

  /** The picture inside, or what it is said to show, has changed or came late: frameworks do that. */
  #inspect() {
    if (this.#source !== undefined && !this.getAttribute('src') && sourceOf(this) !== this.#source) this.refresh();
    else if (this.#isDone && this.#last && this.#last.alt !== this.#alt) this.#redraw();
  }

  #asked() {
    const text = (/** @type {string} */ name) => this.getAttribute(name)?.trim() || null;
    return {
      method: text('method') ?? METHOD,
      target: this.getAttribute('target') || null,
      versus: this.getAttribute('versus') || null,
      layer: text('layer'),
      score: /** @type {'logit' | 'probability' | null} */ (text('score')),
      seed: numberFrom(text('seed') ?? '0'),
      parameters: parametersFrom(this.getAttribute('parameters')),
      compare: this.getAttribute('compare'),
    };
  }

  get #alt() {
    return this.getAttribute('alt') ?? insideOf(this)?.alt ?? '';
  }

  /** Draws what is there with other colours. */
  async #redraw() {
    if (!this.#last) return this.refresh();
    const { signal } = this.#controller ?? new AbortController();
    const { explainer, explanations, shown } = this.#last;
    try {
      const panels = await panelsOf(explainer, explanations, lookFrom(this), signal);
      if (this.#last?.shown !== shown) return;
      Object.assign(this.#last, { shown: { ...shown, panels }, alt: this.#alt });
      this.#view?.draw(panels, this.#alt);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    const { code = 'internal', message } = /** @type {Error & { code?: string }} */ (error instanceof Error ? error : new Error(String(error)));
    // An author's mistake does not get better by itself.
    this.#view?.fail(message, code !== 'argument');
    if (!this.#last) this.#view?.wait(this.childElementCount > 0);
    this.#tell('error', { code, message, error });
  }

  /**
   * @param {'ready' | 'progress' | 'result' | 'error'} what
   * @param {object} detail
   */
  #tell(what, detail) {
    this.dispatchEvent(new CustomEvent(`pellucid-${what}`, { detail, bubbles: true, composed: true }));
  }

  /** Gives back what it holds: it is out of the document. */
  #leave() {
    this.#controller?.abort();
    this.#isDone = this.#isNear = false;
    this.#dismiss();
    this.#picture = this.#ready = null;
    this.#view?.free();
  }
}

for (const name of ATTRIBUTES) {
  Object.defineProperty(PellucidExplainer.prototype, name, {
    configurable: true,
    enumerable: true,
    /** @this {Element} */
    get() {
      return this.getAttribute(name);
    },
    /** @this {Element} @param {unknown} value */
    set(value) {
      if (value === null || value === undefined) this.removeAttribute(name);
      else this.setAttribute(name, typeof value === 'object' && !Array.isArray(value) ? JSON.stringify(value) : String(value));
    },
  });
}
