// The engine's module: compiled while it arrives, and checked. Runs in the worker.

import { BUILD } from '../shared/build.js';
import { failure, reading } from './download.js';

/** A module that has one function: it makes a vector and counts its bits. */
const SIMD = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11);

/** Refuses a browser that cannot run the engine. One in a lockdown mode has no WebAssembly at all. */
export function checkBrowser() {
  if (!globalThis.WebAssembly?.validate(SIMD)) throw failure('browser', 'This browser cannot run the engine: it needs WebAssembly with SIMD. Update the browser.');
}

/** @param {Response | Blob} file */
export async function compile(file) {
  const body = file instanceof Blob ? file.stream() : file.body;
  try {
    return await reading(file, WebAssembly.compileStreaming(new Response(body, { headers: { 'Content-Type': 'application/wasm' } })));
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    throw failure('network', 'The engine came damaged: its server sent something else. Reload, or tell its owner.');
  }
}

/**
 * The engine says in a section of its own which build it is of. One of another build would misread what it is given.
 * @param {WebAssembly.Module} compiled
 */
export function checkBuild(compiled) {
  const [name] = WebAssembly.Module.customSections(compiled, 'pellucid-build');
  if (name && new TextDecoder().decode(name) === BUILD) return;
  throw failure('version', 'The engine is of another version than its scripts: its host got a new one meanwhile. Reload the page.');
}
