// Pictures that another program shares with the page: the service worker puts them here, the page takes them out.

/**
 * The cache of the pictures for the page at `scope`: all pages of an origin have their caches in one place.
 * @param {string} scope
 */
export const sharedWith = (scope) => `pellucid-shared ${scope}`;

/** The header of a kept response that has its file's name, in the letters of an address. */
export const NAME_HEADER = 'X-File-Name';
