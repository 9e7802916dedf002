// Numbers and names as people read them.

/**
 * Three significant digits, a real minus sign, no exponent where it can be avoided.
 * @param {number} value
 */
export function number(value, { signed = false } = {}) {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  let text;
  if (size === 0) text = '0';
  else if (size >= 1e6 || size < 1e-4) text = size.toExponential(2).replace('e-', 'e−').replace('e+', 'e');
  else text = Number(size.toPrecision(3)).toString();
  if (value < 0) return `−${text}`;
  return signed && size > 0 ? `+${text}` : text;
}

/**
 * A share in per cent; never claims 0 or 100 where that is only rounding.
 * @param {number} share
 */
export function percent(share) {
  const value = share * 100;
  if (value > 0 && value < 0.1) return '< 0.1 %';
  if (value < 100 && value >= 99.95) return '> 99.9 %';
  return `${value.toFixed(1)} %`;
}

/**
 * A class's probability, or its score where the network has no probabilities.
 * @param {{ probability: number | null, logit: number }} score
 */
export const share = ({ probability, logit }) => (probability === null ? number(logit) : percent(probability));

/** @param {number} milliseconds */
export function duration(milliseconds) {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${Math.floor(milliseconds / 60_000)} min ${Math.round((milliseconds % 60_000) / 1000)} s`;
}

/** @param {number} count */
export function bytes(count) {
  return count < 1e5 ? `${(count / 1e3).toFixed(0)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString('en')} ${count === 1 ? one : many}`;

/**
 * "1280 × 7 × 7"
 * @param {number[]} shape
 */
export const dimensions = (shape) => shape.join(' × ');

/**
 * Curly quotes around a label.
 * @param {string} label
 */
export const quoted = (label) => `“${label}”`;
