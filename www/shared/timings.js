// Timings that the bench and the curious can read with performance.getEntriesByType('measure').

/**
 * Records a span; both ends are on the clock of `performance.timeOrigin` + `performance.now()`.
 * @param {string} name
 * @param {number} start
 * @param {number} end
 */
export function measure(name, start, end) {
  try {
    performance.measure(`pellucid:${name}`, {
      start: Math.max(0, start - performance.timeOrigin),
      end: Math.max(0, end - performance.timeOrigin),
    });
  } catch {
    // A browser without measure options loses a timing, nothing else.
  }
}

/** The present on a clock that the page and its workers share. */
export const clock = () => performance.timeOrigin + performance.now();
