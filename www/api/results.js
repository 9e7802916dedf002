// The results of a run, as callers see them.

/** @import { Display, KeptMap, MapValues, Method, Report } from '../shared/wire' */
/** @import { AttributionMap, Explanation } from './pellucid' */

/** The segments of a map, without which it cannot be drawn again. @type {WeakMap<object, MapValues['segments']>} */
const segmentsOf = new WeakMap();

/**
 * A report with the numbers of its maps: what is said of the first class stands beside what is said of all.
 * @param {Report} report
 * @param {MapValues[]} values
 * @returns {Explanation}
 */
export function explanationOf(report, values) {
  const { id, targets, ...shared } = report;
  const { backend_now, ...run } = /** @type {Record<string, unknown>} */ (shared);
  const each = targets ?? [report];
  const keys = targets ? [] : Object.keys(run).filter((key) => !SHARED.has(key));
  const maps = each.map((target, k) => {
    const own = targets ? target : Object.fromEntries(keys.map((key) => [key, run[key]]));
    const map = { ...own, method: report.method, layer: report.layer, values: values[k].data };
    segmentsOf.set(map, values[k].segments);
    return /** @type {AttributionMap} */ (map);
  });
  return /** @type {Explanation} */ (/** @type {unknown} */ ({ ...run, ...maps[0], targets: maps }));
}

/** The keys of a report that are of the run as a whole. */
const SHARED = new Set([
  'stopped',
  'method',
  'versus',
  'layer',
  'score',
  'head',
  'parameters',
  'seed',
  'backend',
  'adapter',
  'evaluations',
  'saturation',
  'notes',
  'elapsed_ms',
]);

/**
 * A map as the engine takes it back; null where it has no numbers.
 * @param {object} map
 * @returns {KeptMap | null}
 */
export function keptMap(map) {
  const { shape, values, weights } = /** @type {Partial<AttributionMap>} */ (map);
  if (!shape || !values) return null;
  return { shape: Uint32Array.from(shape), data: values, segments: segmentsOf.get(map), weights: weights && Float64Array.from(weights) };
}

/**
 * The display options that suit a method and the signs of its maps.
 * @param {Method[]} methods
 * @param {Partial<Explanation>} map
 * @returns {Display}
 */
export function suitedDisplay(methods, { method, layer, min, targets }) {
  const spec = methods.find(({ id }) => id === method);
  const lows = targets ? targets.map((target) => target.min) : [min];
  const unsigned = lows.every((low) => low !== undefined && low >= 0);
  const kind = spec?.layer === 'optional' && layer ? 'layer' : unsigned ? 'unsigned' : 'signed';
  return { ...spec?.display[kind] };
}
