// One picture for every subject, without a file: smooth, in colour, the same numbers everywhere.

/// Its pixels as bytes: [side][side][r, g, b].
export function pixels(side) {
  const bytes = new Uint8Array(side * side * 3);
  for (let y = 0, i = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      for (let c = 0; c < 3; c++) {
        const wave = Math.sin(x / (7 + 5 * c)) * Math.cos(y / (11 - 3 * c)) + Math.sin((x + (c + 1) * y) / 29);
        bytes[i++] = Math.round(127.5 + 60 * wave);
      }
    }
  }
  return bytes;
}

/// The centre of the picture as a network reads it: (v - 127) / 128, as [3][size][size] or [size][size][3].
export function tensor(side, size, channelsLast = false) {
  const bytes = pixels(side);
  const data = new Float32Array(3 * size * size);
  const edge = (side - size) >> 1;
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const value = (bytes[((y + edge) * side + x + edge) * 3 + c] - 127) / 128;
        data[channelsLast ? (y * size + x) * 3 + c : (c * size + y) * size + x] = value;
      }
    }
  }
  return data;
}

/// The whole picture as a PNG file.
export async function png(side) {
  const bytes = pixels(side);
  const rgba = new Uint8ClampedArray(side * side * 4).fill(255);
  for (let i = 0; i < side * side; i++) rgba.set(bytes.subarray(3 * i, 3 * i + 3), 4 * i);
  const canvas = new OffscreenCanvas(side, side);
  canvas.getContext('2d').putImageData(new ImageData(rgba, side, side), 0, 0);
  const blob = await canvas.convertToBlob({ type: 'image/png' });
  return new Uint8Array(await blob.arrayBuffer());
}
