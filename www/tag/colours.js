// Made from the colour maps of the engine by `PELLUCID_TYPES=write cargo test --test types`; do not edit.

/**
 * Colours at equal steps, from the low end to the high one.
 * @param {string} hex
 */
const stops = (hex) => (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))
  .reduce((all, _, i, bytes) => (i % 3 ? all : [...all, bytes.slice(i, i + 3)]), /** @type {number[][]} */ ([]));

/** @type {Record<string, number[][]>} */
export const COLOURS = {
  'blue-red': stops('2264a32c74b13984bb4a93c35fa3cc77b3d48fc2dca6cee3bad9e9cce2eedceaf1e8eef1f1efedf7ebe4fae2d5fad6c3f9c7aff5b699f0a284e88d71df765fd55f50c94842bc3237ab202e'),
  'purple-orange': stops('542d8362429271589f816fac9084b8a097c4b0a9cfbebad9cac9e1d6d7e8e1e2edebeaeff3eeeaf8ecddfbe6cafcddb3fdd199fbc47ef8b563f1a549e89431dd841ed07412c1660bb15a08'),
  'shap': stops('1e88e53192e7439ce956a6ec69b0ee7cbaf08fc3f2a1cdf4b4d7f6c7e1f9daebfbecf5fdffffffffebf1ffd7e3ffc3d5ffaec7ff9ab9ff86abff729dff5e8fff4a81ff3573ff2165ff0d57'),
  'inferno': stops('000004050418110930200c4933095e450a69560f6d67156e781c6d8922699a2864aa2e5dbb3654ca4049d74b3ee35932ed6825f47a17f98c09fba007fbb419f8c932f4de51f1f17afcffa4'),
  'magma': stops('000004050417100b2d1c10462c115f3f0f7250127b60187f711f81822581932b80a4307db53679c73d73d7456be55063f1605df7735cfb8760fd9a6afeaf77fec287fed698fce9aafcfdbf'),
  'viridis': stops('440154471063481f70472c7a4439833f46883a518b355d8d30688e2c718e287c8e24858e20908c1e9a8920a38527ad8035b77847c06e5cc86274d0548ed643aadb31c7e020e3e318fde725'),
  'turbo': stops('22171b4330884a4ccb4469ee3886f82ca2f225bce126d2c92ee4ae3ff29357fa7974fd6394fa50b5f141d3e336ecd02dfdb927ff9e22ff821df96418e44813ca2e0caf1a05980d00900c00'),
  'jet': stops('0000800000b00000e00000ff002aff0055ff0080ff00aaff00d4ff15ffe237ffc059ff9e7bff7b9eff59c0ff37e2ff15ffe600ffbe00ff9700ff7000ff4800ff2100e00000b00000800000'),
  'grey': stops('0000000b0b0b1515152020202b2b2b3535354040404a4a4a5555556060606a6a6a7575758080808a8a8a9595959f9f9faaaaaab5b5b5bfbfbfcacacad5d5d5dfdfdfeaeaeaf4f4f4ffffff'),
};

/** Those whose middle is neutral, and whose ends stand for two signs. */
export const DIVERGING = new Set(['blue-red', 'purple-orange', 'shap']);
