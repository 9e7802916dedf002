// The helpers of the engine's worker: other workers with the same model, one engine each, that share no memory.
// They are asked over message ports; the page starts and ends them.

/** How long to wait for an image before the helpers are given up, in milliseconds. */
const PATIENCE = 60_000;

/** How long before helpers are sent for again, in milliseconds. */
const AGAIN = 1000;

/** `size` is how many helpers there may be, `summon(present)` sends for those that are missing, `stopped()` says whether the work is to stop. */
export function createPool(size, summon, stopped) {
  let helpers = [];
  /** When helpers were last sent for, in milliseconds. */
  let summoned = -Infinity;
  let last = 0;
  /** What has not been heard yet: `[number, outputs]` each, with null from one that has failed or left. */
  let news = [];
  let wake = null;

  const numbered = (number) => helpers.find((helper) => helper.number === number);

  function tell(number, outputs) {
    news.push([number, outputs]);
    wake?.();
  }

  function leave(helper) {
    helpers = helpers.filter((other) => other !== helper);
    helper.port.close();
    tell(helper.number, null);
  }

  async function somebody() {
    const timer = setTimeout(() => helpers.forEach(leave), PATIENCE);
    await new Promise((resolve) => (wake = resolve));
    clearTimeout(timer);
  }

  return {
    add(number, port) {
      const helper = { number, port };
      port.onmessage = ({ data: { id, outputs } }) => id === helper.job && tell(number, outputs);
      helpers.push(helper);
    },

    /** A helper has died. */
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

    /** Gives a helper a job, whose images it brings one by one; what it still brings of another is not wanted. */
    ask(number, job) {
      const helper = numbered(number);
      news = news.filter(([from]) => from !== number);
      helper.job = ++last;
      helper.port.postMessage({ id: last, job }, [job.buffer]);
    },

    /** Has a helper leave out its job's images from `end` on. */
    shorten(number, end) {
      const helper = numbered(number);
      helper?.port.postMessage({ id: helper.job, end });
    },

    /** Resolves to the news, of which there is some if it is to `wait`, or to null when the work is to stop. */
    async hear(wait) {
      if (!wait) await breath();
      else if (!news.length) await somebody();
      return stopped() ? null : news.splice(0);
    },
  };
}

/** Lets messages in: a task of its own, without the timers' least delay. */
export function breath() {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
