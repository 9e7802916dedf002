// The pictures that the page offers: those beside it, or those that it was saved with.

/** @import { Sample } from './types' */

import { insides, isSingle } from './parts.js';
import { sampleUrl } from './urls.js';

/** @type {Record<string, string>} */
const ALT = {
  'cat.jpg': 'A cat',
  'coffee.jpg': 'A cup of coffee',
  'camera.jpg': 'A man with a camera on a tripod',
  'rocket.jpg': 'A rocket that lifts off',
  'astronaut.jpg': 'An astronaut',
};

/** @param {string} file */
const altOf = (file) => ALT[file] ?? file.replace(/\.[^.]*$/, '');

/** @param {File} picture */
export function ofFile(picture) {
  return { file: picture.name, alt: altOf(picture.name), url: URL.createObjectURL(picture), read: async () => picture };
}

/** @param {string} file */
function ofHost(file) {
  const url = sampleUrl(file);
  return { file, alt: altOf(file), url, read: async () => (await fetch(url)).blob() };
}

/** @type {Promise<Sample[]>} */
export const samples = isSingle ? insides('picture').then((files) => files.map(ofFile)) : Promise.resolve(Object.keys(ALT).map(ofHost));
