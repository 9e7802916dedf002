// Fetching, and reading files, with progress. Runs in the worker.

import { check_size } from '../pkg/pellucid.js';

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
 * response states its compressed size). The body is a stream, so that WebAssembly can compile while it arrives. A server
 * that is silent for `patience` milliseconds is given up.
 * @param {string} url
 * @param {(received: number, total: number) => void} onBytes
 * @param {number} patience
 */
export async function download(url, onBytes, patience) {
  const silence = watchSilence(patience);
  const lost = () => failure('network', silence.signal.aborted ? silent(url, patience) : unreachable(url));
  const response = await fetch(url, { signal: silence.signal }).catch(() => {
    silence.end();
    throw lost();
  });
  if (!response.ok) {
    silence.end();
    throw failure('network', `${nameOf(url)} is missing on its server (status ${response.status}). Check its address, or tell its owner.`);
  }
  const encoded = response.headers.get('Content-Encoding');
  const total = encoded ? 0 : Number(response.headers.get('Content-Length')) || 0;
  const whole = new Response(response.body && counted(response.body, total, { onBytes, silence, onLoss: (error) => losses.set(whole, typeof error?.code === 'string' ? error : lost()) }), {
    headers: { 'Content-Type': response.headers.get('Content-Type') ?? 'application/octet-stream' },
  });
  return whole;
}

/** Why downloads ended before their time: what reads a response hides it behind an error of its own. @type {WeakMap<Response, Error>} */
const losses = new WeakMap();

/**
 * Runs `work`, which reads a response, with the error that says why there is no more of it.
 * @template T
 * @param {Response | Blob} from
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
export async function reading(from, work) {
  try {
    return await work;
  } catch (error) {
    throw (from instanceof Blob ? undefined : losses.get(from)) ?? error;
  }
}

/** @param {Response | Blob} file */
export const wholeOf = async (file) => (file instanceof Blob ? file : reading(file, file.blob()));

/**
 * Reads a file, unless it is too large for what it is to be: its size is known before a byte of it is.
 * @param {Blob | Response} source
 */
export async function bytesOf(source, kind = 'picture') {
  if (source instanceof Blob) check_size(kind, source.size);
  return new Uint8Array(await reading(source, source.arrayBuffer()));
}

/** How many bytes of a file are read at once. */
const PART = 1 << 24;

/**
 * The bytes of a file, of which it is told how many have come each time.
 * @param {Blob} file
 * @param {(count: number) => unknown} onBytes
 */
export async function inParts(file, onBytes) {
  const whole = new Uint8Array(file.size);
  for (let at = 0; at < file.size; at += PART) {
    const part = new Uint8Array(await file.slice(at, at + PART).arrayBuffer());
    whole.set(part, at);
    onBytes(part.length);
  }
  return whole;
}

/**
 * The same bytes, of which it is told how many have arrived.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @param {number} total
 * @param {{ onBytes: (received: number, total: number) => void, silence: ReturnType<typeof watchSilence>, onLoss: (error: any) => unknown }} watch
 */
function counted(body, total, { onBytes, silence, onLoss }) {
  const reader = body.getReader();
  let received = 0;
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          silence.end();
          onBytes(received, received);
          return controller.close();
        }
        silence.heard();
        received += value.byteLength;
        onBytes(received, total);
        controller.enqueue(value);
      } catch (error) {
        silence.end();
        onLoss(error);
        controller.error(error);
        // What reported the bytes may want no more of them.
        reader.cancel().catch(() => {});
      }
    },
    cancel: (why) => {
      silence.end();
      return reader.cancel(why);
    },
  });
}

/**
 * A signal that aborts when nothing has been heard for a while.
 * @param {number} patience
 */
function watchSilence(patience) {
  const controller = new AbortController();
  let timer = 0;
  const end = () => clearTimeout(timer);
  const heard = () => {
    end();
    timer = setTimeout(() => controller.abort(), patience);
  };
  heard();
  return { signal: controller.signal, heard, end };
}

/** @param {string} url */
const nameOf = (url) => new URL(url).pathname.split('/').pop() || url;

/** @param {string} url */
const unreachable = (url) =>
  `${nameOf(url)} could not be downloaded. Check the connection and the address; another site must allow it (CORS).`;

/**
 * @param {string} url
 * @param {number} patience
 */
const silent = (url, patience) => `${nameOf(url)} did not come: its server was silent for ${Math.round(patience / 1000)} s. Try again later.`;

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
