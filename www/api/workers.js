// How many workers compute side by side.

/** Each has a copy of the network; more than these gain nothing and may not fit. */
const MOST = 8;
/** How many are taken unless the caller says otherwise. */
const USUAL = 4;

/**
 * From what the caller asks for, if anything, and the number of processors; at least one, at most eight.
 * @param {number | null | undefined} asked
 * @param {number | undefined} processors
 */
export function workersFrom(asked, processors) {
  const number = asked ?? Math.min(processors || 1, USUAL);
  return Number.isNaN(number) ? 1 : Math.max(1, Math.min(Math.floor(number), MOST));
}
