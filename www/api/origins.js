// The origins of an explainer's maps. A map that is drawn may have left the engine, and is then given back to it.

/** @import { KeptMap, Question, Report } from '../shared/wire' */
/** @import { Engine } from './engine' */

import { codeOf } from '../shared/errors.js';
import { PellucidError } from './errors.js';
import { abortable } from './queue.js';
import { explanationOf, keptMap } from './results.js';

/** What is to be drawn is no map. */
export const noMap = () => new PellucidError('argument', 'This is no map of this explainer. Give what explain() resolved to, or one of its targets.');

/**
 * Notes where the maps of a run come from; they are made where there are none yet.
 * @typedef {(id: number, given: object[] | undefined, question: Pick<Question, 'method' | 'target' | 'layer'>) => object[]} OriginOf
 */

/**
 * The origin of a run's maps: the image that they are of, the worker's life in which they were made, and their run there.
 * @typedef {{ blob: Blob, epoch: number, id: number, maps: object[] }} Origin
 */

/**
 * Works when the engine has an image.
 * @typedef {<T>(blob: Blob, options: { signal?: AbortSignal }, work: () => Promise<T>) => Promise<T>} Ask
 */

/**
 * @param {Engine} engine
 * @param {Ask} ask
 */
export function createOrigins(engine, ask) {
  /** @type {WeakMap<object, Origin>} */
  const origins = new WeakMap();

  return {
    /**
     * Notes where the maps of a run come from: those of `given`, or one for each class that a run may have in time.
     * @param {Blob} blob
     * @returns {OriginOf}
     */
    of(blob) {
      const { epoch } = engine;
      return (id, given, { method, target, layer }) => {
        const maps = given ?? [target].flat().map(() => ({ method, layer }));
        const origin = { blob, epoch, id, maps };
        for (const map of maps) origins.set(map, origin);
        return maps;
      };
    },

    /**
     * A report with the numbers of its maps.
     * @param {Report} report
     * @param {OriginOf} origin
     */
    async explained(report, origin) {
      const { id, method, layer, targets = [report] } = report;
      const values = await Promise.all(targets.map((_, k) => engine.call('values', { id, k })));
      const explanation = explanationOf(report, values);
      const [first] = origin(id, explanation.targets, { method, target: null, layer });
      origins.set(explanation, /** @type {Origin} */ (origins.get(first)));
      return explanation;
    },

    /**
     * Does something with a map that the engine holds. One that it holds no longer is given back to it, with its image.
     * @template T
     * @param {object} map
     * @param {AbortSignal | undefined} signal
     * @param {(of: { id: number, k: number }) => Promise<T>} work
     */
    async held(map, signal, work) {
      const origin = origins.get(map);
      if (!origin) throw noMap();
      const { blob, maps } = origin;
      const k = Math.max(0, maps.indexOf(map));
      if (origin.epoch === engine.epoch) {
        try {
          return await abortable(work({ id: origin.id, k }), signal);
        } catch (error) {
          // Others may have taken its place.
          if (codeOf(error) !== 'argument') throw error;
        }
      }
      const kept = maps.map(keptMap);
      return ask(blob, { signal }, async () => {
        if (kept.some((each) => each === null)) throw new PellucidError('argument', 'The map of a run that has ended is gone. Draw what explain() resolved to.');
        const id = await engine.call('restore', { maps: /** @type {KeptMap[]} */ (kept) });
        Object.assign(origin, { id, epoch: engine.epoch });
        return work({ id, k });
      });
    },
  };
}
