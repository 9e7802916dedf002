// The helpers of the engine's worker: other workers with the same model, one engine each, that share no memory.
// They are asked over message ports; the page starts and ends them.

/** How long a helper may take for a few images before it is given up, in milliseconds. */
const PATIENCE = 60_000;

/** `size` is how many helpers there may be, `summon()` sends for them. */
export function createPool(size, summon) {
  let helpers = [];
  let summoned = false;
  let last = 0;

  function leave(helper) {
    helpers = helpers.filter((other) => other !== helper);
    helper.port.close();
    helper.settle?.(null);
  }

  return {
    add(number, port) {
      const helper = { number, port };
      port.onmessage = ({ data: { id, outputs } }) => id === helper.job && helper.settle?.(outputs);
      helpers.push(helper);
    },

    /** A helper has died; without a number, all of them go. */
    drop(number) {
      for (const helper of helpers) if (number === undefined || helper.number === number) leave(helper);
      summoned &&= number !== undefined;
    },

    wanted() {
      if (size && !summoned) summon();
      summoned = true;
      return size;
    },

    ready: () => helpers.length,

    /** Resolves to the outputs, or null when the helper failed. */
    ask(i, job) {
      const helper = helpers[i];
      helper.job = ++last;
      return new Promise((resolve) => {
        const timer = setTimeout(leave, PATIENCE, helper);
        helper.settle = (outputs) => {
          clearTimeout(timer);
          helper.settle = null;
          resolve(outputs);
        };
        helper.port.postMessage({ id: last, job }, [job.buffer]);
      });
    },

    rest: breath,
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
