// Errors as callers see them: a stable code, and a sentence that says what to do.

import { sentence } from '../shared/errors.js';

/** An error with Pellucid's stable code and a sentence that says what to do. */
export class PellucidError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(code, message, options) {
    super(sentence(message), options);
    this.name = 'PellucidError';
    this.code = code;
    /** Whether the explainer is of no use any more. */
    this.dead = false;
  }
}

export const cancelled = (why = 'stopped on request') => new PellucidError('cancelled', why);
