/**
 * Runs a WASI program as a process of its own, as Node compiles and runs any WebAssembly. Plain JavaScript, so that no
 * time goes into stripping types.
 *
 * Usage: node --no-warnings wasi-runner.mjs FILE ARGUMENT...
 */
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const [file, ...args] = process.argv.slice(2);
// What --no-warnings silences: WASI is experimental in Node 24.
const wasi = new WASI({ version: 'preview1', args: [file, ...args] });
const { instance } = await WebAssembly.instantiate(readFileSync(file), wasi.getImportObject());
process.exitCode = wasi.start(instance);
