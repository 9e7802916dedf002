// How many workers compute side by side.

/** Each has a copy of the network; more than these gain nothing and may not fit. */
const MOST = 8;
/** How many are taken unless the address says otherwise. */
const USUAL = 4;

/**
 * From what the address asks for, text or null, and the number of processors; at least one, at most eight.
 * @param {string | null} asked
 * @param {number} processors
 */
export function workersFrom(asked, processors) {
  const number = Math.floor(Number(asked));
  if (asked && number === Infinity) return MOST;
  if (!asked || Number.isNaN(number)) return Math.max(1, Math.min(processors || 1, USUAL));
  return Math.max(1, Math.min(number, MOST));
}
