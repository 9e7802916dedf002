// Files that the tag fetches itself: the picture, and maps that were made before.

/** How many milliseconds a server may take to answer. */
const PATIENCE = 30_000;

/**
 * An error with Pellucid's code; the API, which has the class, may not be here.
 * @param {string} code
 * @param {string} message
 */
export const failure = (code, message) => Object.assign(new Error(message), { code });

/**
 * @param {string} address
 * @param {AbortSignal} signal
 */
export async function fetched(address, signal) {
  const patience = AbortSignal.timeout(PATIENCE);
  try {
    const response = await fetch(new URL(address, document.baseURI), { signal: AbortSignal.any([signal, patience]) });
    if (!response.ok) throw failure('network', `${address} is not there (status ${response.status}). Check the address.`);
    return await response.blob();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'network') throw error;
    const why = patience.aborted ? `did not come: its server was silent for ${PATIENCE / 1000} s` : 'could not be fetched';
    throw failure('network', `${address} ${why}. Check the address; another site must allow it (CORS).`);
  }
}
