// The figures of the map that is shown, and ways to keep it.

/** @import { PageEngine, Result, Run, Store } from '../types' */

import { $, h, icon, offer, show } from '../dom.js';
import { number, percent, plural } from '../format.js';
import { displayOf } from '../state/display.js';
import { commandOf } from './command.js';
import { notify, notifyError } from './notices.js';

/**
 * @param {Store} store
 * @param {PageEngine} engine
 */
export function setUpNumbers(store, engine) {
  const facts = $('#facts');
  const saves = createSaves(store, engine);
  $('#saves').append(...saves);
  store.watch(
    ({ run }) => [run.result, run.previous],
    (current, previous) => {
      const result = current ?? previous;
      show($('#numbers'), Boolean(result));
      facts.classList.toggle('stale', !current);
      for (const button of saves) button.disabled = !current;
      if (!result) return;
      const notes = result.notes ?? [];
      show($('#notes'), notes.length > 0);
      $('#notes ul').replaceChildren(...notes.map((note) => h('li', {}, note)));
      facts.replaceChildren(...rows(result).flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
    },
  );
}

/** @param {Result} result */
function rows(result) {
  const { unit, weights } = result;
  /** @type {([name: string, value: string] | null)[]} */
  const all = [
    [result.head === 'none' ? 'Score' : 'Logit', number(result.logit)],
    result.probability === null ? null : ['Probability', percent(result.probability)],
    ['Map from', `${number(result.min)} to ${number(result.max)}`],
    weights ? ['Weights sum to', number(weights.reduce((a, b) => a + b))] : ['Map sums to', number(result.sum)],
    ['Unit', unit],
    result.versus ? ['Rather than', result.versus.label] : null,
    result.layer ? ['Layer', result.layer] : null,
    ['Cost', plural(result.evaluations, 'evaluation')],
    ...extras(result),
  ];
  return all.filter((row) => row !== null);
}

const KNOWN = new Set(['logit', 'probability', 'sum', 'min', 'max', 'seed', 'evaluations', 'elapsed_ms']);

/**
 * A method's further figures: an error bar, a completeness gap.
 * @param {Result} result
 * @returns {[name: string, value: string][]}
 */
function extras(result) {
  const title = (/** @type {string} */ key) => `${key[0].toUpperCase()}${key.slice(1).replaceAll('_', ' ')}`;
  const figures = Object.entries(result).filter(([key, value]) => typeof value === 'number' && !KNOWN.has(key));
  return figures.map(([key, value]) => [title(key), number(Number(value))]);
}

/**
 * @param {Store} store
 * @param {PageEngine} engine
 */
function createSaves(store, engine) {
  const stem = () => `${(store.state.picture?.name ?? 'picture').replace(/\.[^.]*$/, '')}-${store.state.run.result?.method}`;
  /**
   * @param {string} label
   * @param {() => Promise<unknown>} action
   * @param {boolean} [primary]
   */
  const save = (label, action, primary) => {
    const style = `button small${primary ? ' primary' : ''}`;
    const button = h('button', { type: 'button', class: style }, primary ? icon('save') : null, h('span', {}, label));
    button.addEventListener('click', async () => {
      try {
        await action();
      } catch (error) {
        notifyError(error);
      }
    });
    return button;
  };
  // The buttons are enabled where there is a result, and so its maps.
  const drawn = () => {
    const { maps = [], k = 0, shared = false } = store.state.run;
    return { map: maps[k], shared, display: displayOf(store.state) };
  };
  const png = async () => {
    const { map, shared, display } = drawn();
    offer(await (await engine.loaded).png(map, display, { shared }), `${stem()}.png`);
  };
  return [
    save('Save PNG', png, true),
    save('Values', async () => offer(await (await engine.loaded).npy(drawn().map), `${stem()}.npy`)),
    save('JSON', async () => offer(new Blob([published(store.state.run)], { type: 'application/json' }), `${stem()}.json`)),
    save('Copy command', async () => {
      await navigator.clipboard.writeText(commandOf(store.state, (await engine.loaded).opened));
      notify({ message: 'The command line that makes the same map is on the clipboard' });
    }),
  ];
}

/**
 * The result as the command line's --json prints it.
 * @param {Run} run
 */
function published(run) {
  const { stopped, ...result } = run.result ?? {};
  return JSON.stringify(result, null, 2);
}
