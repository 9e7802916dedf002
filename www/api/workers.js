// How many workers compute side by side.

/** Each has a copy of the network; more than these gain nothing and may not fit. */
export const MOST_WORKERS = 8;
/** How many are taken unless the caller says otherwise. */
const USUAL = 4;

/** @param {number | undefined} processors */
export const usualWorkers = (processors) => Math.min(processors || 1, USUAL);
