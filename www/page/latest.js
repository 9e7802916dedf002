// Latest wins: while one thing is being made, only the newest wish is kept.

/**
 * Wraps `work(wish)`: it is called with one wish at a time, and never with one that another has replaced. `onError` hears why
 * one failed.
 */
export function latest(work, onError) {
  let wanted = null;
  let busy = false;
  return async (...wish) => {
    wanted = wish;
    if (busy) return;
    busy = true;
    while (wanted) {
      const next = wanted;
      wanted = null;
      try {
        await work(...next);
      } catch (error) {
        // A map that is gone belongs to a run that another has replaced.
        if (!['argument', 'crashed', 'cancelled'].includes(error.code)) onError(error);
      }
    }
    busy = false;
  };
}
