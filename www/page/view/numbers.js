// The figures of the map that is shown, and ways to keep it.

import { $, h, icon, show } from '../dom.js';
import { number, percent, plural } from '../format.js';
import { displayOf } from '../state/display.js';
import { commandOf } from './command.js';
import { notify, notifyError } from './notices.js';

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

function rows(result) {
  const { unit, weights } = result;
  return [
    [result.head === 'none' ? 'Score' : 'Logit', number(result.logit)],
    result.probability === null ? null : ['Probability', percent(result.probability)],
    ['Map from', `${number(result.min)} to ${number(result.max)}`],
    weights ? ['Weights sum to', number(weights.reduce((a, b) => a + b))] : ['Map sums to', number(result.sum)],
    ['Unit', unit],
    result.versus ? ['Rather than', result.versus.label] : null,
    result.layer ? ['Layer', result.layer] : null,
    ['Cost', plural(result.evaluations, 'evaluation')],
    ...extras(result),
  ].filter(Boolean);
}

const KNOWN = new Set(['id', 'logit', 'probability', 'sum', 'min', 'max', 'seed', 'evaluations', 'elapsed_ms']);

/** What a method says besides: an error bar, a completeness gap. */
function extras(result) {
  const figures = Object.entries(result).filter(([key, value]) => typeof value === 'number' && !KNOWN.has(key));
  return figures.map(([key, value]) => [`${key[0].toUpperCase()}${key.slice(1).replaceAll('_', ' ')}`, number(value)]);
}

function createSaves(store, engine) {
  const stem = () => `${(store.state.picture?.name ?? 'picture').replace(/\.[^.]*$/, '')}-${store.state.run.result.method}`;
  const save = (label, action, primary) => {
    const button = h('button', { type: 'button', class: `button small${primary ? ' primary' : ''}` }, primary ? icon('save') : null, h('span', {}, label));
    button.addEventListener('click', async () => {
      try {
        await action();
      } catch (error) {
        notifyError(error);
      }
    });
    return button;
  };
  const drawn = () => {
    const { id, k, shared } = store.state.run;
    return { id, k, shared, display: displayOf(store.state) };
  };
  return [
    save('Save PNG', async () => offer(await engine.call('png', drawn()), 'image/png', `${stem()}.png`), true),
    save('Values', async () => offer(await engine.call('npy', drawn()), 'application/octet-stream', `${stem()}.npy`)),
    save('JSON', async () => offer(JSON.stringify(published(store.state.run.result), null, 2), 'application/json', `${stem()}.json`)),
    save('Copy command', async () => {
      await navigator.clipboard.writeText(commandOf(store.state, engine.opened));
      notify({ message: 'The command line that makes the same map is on the clipboard' });
    }),
  ];
}

/** The result as the command line's --json prints it. */
function published({ id, stopped, ...result }) {
  return result;
}

function offer(content, type, name) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = h('a', { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
