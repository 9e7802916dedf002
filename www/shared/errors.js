// The code and the sentence of an error that was caught.

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
