// Bytes as text in which five letters stand for four bytes: base64 would make a file of several megabytes six per cent
// longer. The letters are ASCII 40 to 124, with } for <, so that no text of them ends an element of HTML. xtask/src/single.rs
// writes the same.

const FIRST = 40;
const SWAPPED = ['<', '}'].map((letter) => letter.charCodeAt(0));

/**
 * The letters, as bytes. The last group of fewer than four bytes counts as if zeros followed.
 * @param {Uint8Array} bytes
 */
export function encoded(bytes) {
  const [less, brace] = SWAPPED;
  const letters = new Uint8Array(Math.ceil(bytes.length / 4) * 5);
  for (let from = 0, to = 0; from < bytes.length; from += 4, to += 5) {
    let group = (((bytes[from] << 24) | (bytes[from + 1] << 16) | (bytes[from + 2] << 8) | bytes[from + 3]) >>> 0);
    for (let digit = 4; digit >= 0; digit--) {
      const letter = FIRST + (group % 85);
      letters[to + digit] = letter === less ? brace : letter;
      group = Math.floor(group / 85);
    }
  }
  return letters;
}

/**
 * The first `size` bytes of a text.
 * @param {string} text
 * @param {number} size
 */
export function decoded(text, size) {
  const [less, brace] = SWAPPED;
  const bytes = new Uint8Array(Math.ceil(size / 4) * 4);
  for (let from = 0, to = 0; to < bytes.length; from += 5, to += 4) {
    let group = 0;
    for (let digit = 0; digit < 5; digit++) {
      const letter = text.charCodeAt(from + digit);
      group = group * 85 + (letter === brace ? less : letter) - FIRST;
    }
    bytes[to] = group >>> 24;
    bytes[to + 1] = group >>> 16;
    bytes[to + 2] = group >>> 8;
    bytes[to + 3] = group;
  }
  return bytes.subarray(0, size);
}
