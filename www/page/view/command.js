// The explanation that is shown, as a command line that gives the same map.

import { displayFor, displayOf } from '../state/display.js';
import { methodOf } from '../state/question.js';

/** A word as a POSIX shell takes it. */
const word = (text) => (/^[\w./:,+-][\w./:@%+=,-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** A file's name, which must not be taken for an option. */
const file = (name) => word(name.startsWith('-') ? `./${name}` : name);

/** `opened` is what the engine was given with the model; the target is an index, since names may stand twice. */
export function commandOf(state, opened) {
  const { picture, run: { asked } } = state;
  const index = (target) => `index:${target}`;
  const options = [
    ['model', opened.file && file(opened.file)],
    ['mean', opened.mean?.join(',')],
    ['std', opened.std?.join(',')],
    ['labels', opened.labelsFile && file(opened.labelsFile)],
    ['head', state.info.model.chosen_head],
    ['backend', opened.backend === 'auto' ? null : opened.backend],
    ['method', asked.method],
    ['target', asked.targets.map(index).join(',')],
    ['versus', asked.versus === null ? null : index(asked.versus)],
    ['layer', asked.layer && word(asked.layer)],
    ['score', asked.score],
    ['seed', asked.seed || null],
    ...Object.entries(asked.files).flatMap(([key, given]) => (given ? given.blobs.map(({ name }) => [key, file(name)]) : [])),
    ...Object.entries(asked.parameters).map(([key, value]) => ['set', word(`${key}=${value}`)]),
    ...changes(state).map(([key, value]) => ['display', word(`${key}=${value}`)]),
    ['output', 'overlay.png'],
  ];
  const given = options.filter(([, value]) => value !== null && value !== undefined && value !== '');
  // A value that begins with a dash is taken for an option unless it is joined to its own.
  const text = ([name, value]) => `--${name}${String(value).startsWith('-') ? '=' : ' '}${value}`;
  return ['pellucid explain', file(picture?.name ?? 'picture.png'), ...given.map(text)].join(' ');
}

/** What differs from the look that the method's maps have unless someone chooses. */
function changes(state) {
  const usual = displayFor(methodOf(state), state.run.report);
  const differs = ([key, value]) => JSON.stringify(value ?? null) !== JSON.stringify(usual[key] ?? null);
  const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value ?? null));
  return Object.entries(displayOf(state)).filter(differs).map(([key, value]) => [key, text(value)]);
}
