// The helpers of the engine's worker: other workers with the same model, one engine each, that share no memory.
// They are asked over message ports; the page starts and ends them.

/** @import { Bytes, FromHelper, ToHelper } from '../shared/wire' */

/** How long to wait for an image before the helpers are given up, in milliseconds. */
const PATIENCE = 60_000;

/** How long before helpers are sent for again, in milliseconds. */
const AGAIN = 1000;

/**
 * A helper: its port, and the last job that it was given.
 * @typedef {{ number: number, port: MessagePort, job?: number }} Helper
 */

/**
 * `size` is how many helpers there may be, `summon(present)` sends for those that are missing, `stopped()` says whether the
 * work is to stop.
 * @param {number} size
 * @param {(present: number[]) => void} summon
 * @param {() => boolean} stopped
 */
export function createPool(size, summon, stopped) {
  /** @type {Helper[]} */
  let helpers = [];
  /** When helpers were last sent for, in milliseconds. */
  let summoned = -Infinity;
  let last = 0;
  /**
   * Answers that have not been taken yet, with null from one that has failed or left.
   * @type {[number: number, outputs: Bytes | null][]}
   */
  let news = [];
  /** @type {(() => void) | null} */
  let wake = null;

  const numbered = (/** @type {number} */ number) => helpers.find((helper) => helper.number === number);

  /**
   * @param {number} number
   * @param {Bytes | null} outputs
   */
  function tell(number, outputs) {
    news.push([number, outputs]);
    wake?.();
  }

  /** @param {Helper} helper */
  function leave(helper) {
    helpers = helpers.filter((other) => other !== helper);
    helper.port.close();
    tell(helper.number, null);
  }

  async function somebody() {
    const timer = setTimeout(() => helpers.forEach(leave), PATIENCE);
    await new Promise((resolve) => (wake = () => resolve(null)));
    clearTimeout(timer);
  }

  /**
   * @param {Helper} helper
   * @param {ToHelper} message
   * @param {Transferable[]} [transfer]
   */
  const post = ({ port }, message, transfer = []) => port.postMessage(message, transfer);

  return {
    /**
     * @param {number} number
     * @param {MessagePort} port
     */
    add(number, port) {
      /** @type {Helper} */
      const helper = { number, port };
      port.onmessage = (/** @type {MessageEvent<FromHelper>} */ { data: { id, outputs } }) => id === helper.job && tell(number, outputs);
      helpers.push(helper);
    },

    /**
     * A helper has died.
     * @param {number} number
     */
    drop(number) {
      helpers.filter((helper) => helper.number === number).forEach(leave);
    },

    /** How many helpers there may be. Those that are missing, be it because they have left, are sent for. */
    wanted() {
      const now = performance.now();
      if (helpers.length < size && now - summoned > AGAIN) {
        summon(helpers.map(({ number }) => number));
        summoned = now;
      }
      return size;
    },

    ready: () => helpers.map(({ number }) => number),

    /**
     * Gives a helper that is ready a job, whose images it brings one by one; what it still brings of another is not wanted.
     * @param {number} number
     * @param {Bytes} job
     */
    submit(number, job) {
      const helper = numbered(number);
      if (!helper) throw new Error(`there is no helper ${number}`);
      news = news.filter(([from]) => from !== number);
      helper.job = ++last;
      post(helper, { id: last, job }, [job.buffer]);
    },

    /**
     * Has a helper leave out its job's images from `end` on.
     * @param {number} number
     * @param {number} end
     */
    truncate(number, end) {
      const helper = numbered(number);
      if (helper?.job) post(helper, { id: helper.job, end });
    },

    /**
     * Resolves to the news, of which there is some if it is to `wait`, or to null when the work is to stop.
     * @param {boolean} wait
     */
    async poll(wait) {
      if (!wait) await yieldToMessages();
      else if (!news.length) await somebody();
      return stopped() ? null : news.splice(0);
    },
  };
}

/** Lets messages in: a task of its own, without the timers' least delay. */
export function yieldToMessages() {
  const { port1, port2 } = new MessageChannel();
  /** @type {Promise<void>} */
  const heard = new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
  return heard;
}
