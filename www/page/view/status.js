// The run: what it is, how far it is, and what it took. Screen readers hear the start, the quarters and the end.

/** @import { ExplainFlow, Run, Store } from '../types' */

import { clock } from '../../shared/timings.js';
import { $, h, show } from '../dom.js';
import { duration, number, plural, quoted } from '../format.js';

/**
 * @param {Store} store
 * @param {ExplainFlow} explain
 */
export function setUpStatus(store, explain) {
  const bar = $('#run-bar');
  const stop = $('#stop');
  let announced = '';
  const again = $('#again');
  stop.addEventListener('click', explain.stop);
  again.addEventListener('click', explain.schedule);

  const announce = (/** @type {string} */ key, /** @type {string} */ text) => {
    if (key === announced) return;
    announced = key;
    $('#announce').textContent = text;
  };

  store.watch(
    ({ run, methods, target }) => [run, methods, target],
    (run, methods, target) => {
      const method = methods.find(({ id }) => id === run.asked?.method);
      const running = run.status === 'running';
      const { done = 0, total = 0 } = run.progress ?? {};
      show(stop, running);
      show(again, run.status === 'failed' || run.status === 'stopped');
      show(bar, running);
      if (total > 1) bar.value = done / total;
      else bar.removeAttribute('value');
      if (!method || !target) return $('#status-text').replaceChildren();
      const subjects = run.shared && run.asked ? plural(run.asked.targets.length, 'class', 'classes') : quoted(target.label);
      const told = parts(run, `${method.label} for ${subjects}`);
      const [what, ...rest] = told;
      const subject = h('span', { class: running ? 'subject' : null }, rest.length ? `${what} · ` : what);
      $('#status-text').replaceChildren(subject, rest.join(' · '));
      const quarter = total > 4 ? Math.floor((4 * done) / total) : 0;
      const key = `${run.start}:${run.status}:${running ? quarter : ''}`;
      announce(key, running && quarter > 0 ? `${quarter * 25} per cent` : told.join(', '));
    },
  );

  store.watch(
    ({ classes }) => [classes],
    (classes) => {
      if (!classes) return;
      const best = classes.classes.slice(0, 3).map(({ label, logit, probability }) => {
        return probability === null ? `${label}, score ${number(logit)}` : `${label} ${Math.round(probability * 100)} per cent`;
      });
      announce('', `The network sees ${best.join(', ')}`);
    },
  );
}

/**
 * @param {Run} run
 * @param {string} what
 */
function parts(run, what) {
  switch (run.status) {
    case 'running':
      return [what, ...progressParts(run)];
    case 'stopped':
      return [what, run.result ? `stopped after ${plural(run.result.evaluations, 'evaluation')}` : 'stopped'];
    case 'failed':
      return [what, 'failed'];
    case 'done':
      return run.result ? [what, `${duration(run.result.elapsed_ms)} on the ${run.result.backend.toUpperCase()}`] : [what];
    default:
      return [''];
  }
}

/** @param {Run} run */
function progressParts({ progress, start = 0 }) {
  if (!progress?.total) return ['starting'];
  const { done, total, spread } = progress;
  const spent = clock() - start;
  const left = done > 0 && spent > 800 ? (spent / done) * (total - done) : null;
  return [
    `${done.toLocaleString('en')} of ${plural(total, 'evaluation')}`,
    left !== null && left > 500 ? `${duration(left)} left` : null,
    spread !== undefined && spread > 0 ? `error ${number(spread)}` : null,
  ].filter((part) => part !== null);
}
