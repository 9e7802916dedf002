// Fetching with progress. Runs in the worker.

/**
 * An error that the page shows as it is: a stable code and a sentence that says what to do.
 * @param {string} code
 * @param {string} message
 */
export function failure(code, message) {
  return Object.assign(new Error(message), { code });
}

/**
 * Fetches `url` and reports the bytes that arrived; the total is 0 where it cannot be known (a compressed
 * response states its compressed size). The body is a stream, so that WebAssembly can compile while it arrives.
 * @param {string} url
 * @param {(received: number, total: number) => void} onBytes
 */
export async function download(url, onBytes) {
  let response;
  try {
    response = await fetch(url);
  } catch {
    throw failure('network', 'A part of the page could not be downloaded. Check the connection and reload.');
  }
  if (!response.ok) {
    const name = new URL(url).pathname.split('/').pop();
    throw failure('network', `${name} is missing on this server (status ${response.status}). Reload, or tell its owner.`);
  }
  const encoded = response.headers.get('Content-Encoding');
  const total = encoded ? 0 : Number(response.headers.get('Content-Length')) || 0;
  let received = 0;
  /** @type {TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>} */
  const counter = new TransformStream({
    transform(chunk, controller) {
      received += chunk.byteLength;
      onBytes(received, total);
      controller.enqueue(chunk);
    },
    flush: () => onBytes(received, received),
  });
  return new Response(response.body?.pipeThrough(counter), {
    headers: { 'Content-Type': response.headers.get('Content-Type') ?? 'application/octet-stream' },
  });
}

/**
 * A function that calls `report` at most every `interval` milliseconds, and always once after the last call.
 * @param {() => void} report
 * @param {number} interval
 */
export function throttled(report, interval) {
  let last = 0;
  let timer = 0;
  const send = () => {
    clearTimeout(timer);
    timer = 0;
    last = performance.now();
    report();
  };
  return () => {
    if (performance.now() - last >= interval) send();
    else timer ||= setTimeout(send, interval);
  };
}
