// The code and the sentence of an error.

/**
 * The stable code of an error; `internal` where it has none.
 * @param {unknown} error
 */
export const codeOf = (error) => (error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'internal');

/**
 * The sentence of an error.
 * @param {unknown} error
 */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/**
 * A text as a sentence of its own: with a capital, and a stop where it has no end. A name that it begins with stays as it is.
 * @param {string} text
 */
export function sentence(text) {
  const full = String(text).trim().replace(/^[a-z]+(?![\w.-])/, (word) => word[0].toUpperCase() + word.slice(1));
  return /[.!?]$/.test(full) ? full : `${full}.`;
}
