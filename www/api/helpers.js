// The helpers of the engine's worker: workers with the same model, which take parts of its work. They are started when
// it sends for them, and again where one has left.

/** @import { StartArguments } from '../shared/wire' */

import { Bridge } from './bridge.js';

/** How many helpers may fail before no more are started: something is wrong with all of them. */
const MOST_FAILURES = 6;

/**
 * The parts that a helper opens.
 * @typedef {Omit<StartArguments, 'helpers'>} HelperModel
 */

/**
 * `script` is their script, or its address, `size` how many there may be.
 * @param {string | Blob} script
 * @param {number} size
 */
export function createHelpers(script, size) {
  /** @type {Map<number, { helper: Bridge, hired: boolean }>} */
  let helpers = new Map();
  let failures = 0;

  /**
   * Starts those that are missing; `present` are the numbers of those that the engine's worker has, `model` is what they open.
   * @param {Bridge} main
   * @param {number[]} present
   * @param {HelperModel} model
   */
  function gather(main, present, model) {
    for (let number = 1; number <= size; number++) {
      const known = helpers.get(number);
      if (known && (!known.hired || present.includes(number))) continue;
      known?.helper.close();
      if (failures < MOST_FAILURES) hire(main, number, model);
    }
  }

  /**
   * @param {Bridge} main
   * @param {number} number
   * @param {HelperModel} model
   */
  async function hire(main, number, { options, ...model }) {
    const gone = () => {
      if (helpers.get(number)?.helper !== helper) return;
      helpers.delete(number);
      failures += 1;
      main.call('lost', { number }).catch(() => {});
    };
    const helper = new Bridge(script, gone);
    const entry = { helper, hired: false };
    helpers.set(number, entry);
    const { port1, port2 } = new MessageChannel();
    try {
      await helper.call('start', { ...model, options: { ...options, backend: 'cpu' } });
      await helper.call('help', { port: port2 }, { transfer: [port2] });
      if (helpers.get(number) !== entry) return helper.close();
      await main.call('helper', { number, port: port1 }, { transfer: [port1] });
      entry.hired = true;
    } catch {
      // There is no room for another; the work is done by those that are there.
      helper.close();
      gone();
    }
  }

  /** Ends all of them. */
  function dismiss() {
    for (const { helper } of helpers.values()) helper.close();
    helpers = new Map();
    failures = 0;
  }

  return { gather, dismiss };
}
