/** V8's own listings of the machine code that it makes, from processes that are started with its flags for printing. */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { steleCommand } from './command.ts';
import { branchHints } from './tiering.ts';

/** Compiles the modules of a file (each behind its length, a little-endian word) one after the other. */
const compileAll = `
const bytes = require('node:fs').readFileSync(process.argv[1]);
for (let at = 0; at < bytes.length; ) {
  const end = at + 4 + bytes.readUInt32LE(at);
  new WebAssembly.Module(bytes.subarray(at + 4, end));
  at = end;
}`;
/** V8's optimizing compiler, at once. */
const optimizing = ['--no-liftoff', '--no-wasm-lazy-compilation', ...branchHints];

/** Modules that one process traces: their documents lie in the temporary directory together. */
const modulesPerTrace = 16;

/** What became of a process that lists. */
export interface ListingRun {
  /** It was ended because it took too long: the listing is not complete. */
  readonly timedOut: boolean;
}

/**
 * Lists the machine code of WebAssembly modules.
 * @param line is given each line of the listing
 * @param timeout milliseconds
 */
export function listModules(
  modules: readonly Uint8Array[],
  line: (text: string) => void,
  timeout: number,
): Promise<ListingRun> {
  return inFolder(async (folder) => {
    const output = join(folder, 'listing');
    const command = [process.execPath, ...optimizing, '--print-wasm-code', '-e', compileAll, written(modules, folder)];
    const timedOut = await finished(command, output, timeout, folder);
    eachLine(output, line);
    return { timedOut };
  });
}

/**
 * Traces the compilation of WebAssembly modules: V8's documents for its Turbolizer, one for each function, which tell the
 * position of each operation. They are large, hundreds of bytes for each byte of a module.
 * @param use is given one document after the other
 * @param timeout milliseconds
 */
export async function traceModules(
  modules: readonly Uint8Array[],
  use: (document: unknown) => void,
  timeout: number,
): Promise<void> {
  const end = performance.now() + timeout;
  for (let first = 0; first < modules.length; first += modulesPerTrace) {
    const left = end - performance.now();
    if (left <= 0) return;
    await inFolder(async (folder) => {
      const flags = ['--trace-turbo', `--trace-turbo-path=${folder}`];
      const file = written(modules.slice(first, first + modulesPerTrace), folder);
      const command = [process.execPath, ...optimizing, ...flags, '-e', compileAll, file];
      await finished(command, join(folder, 'output'), Math.ceil(left), folder);
      for (const name of readdirSync(folder)) {
        if (!/^turbo-.*\.json$/.test(name)) continue;
        let document: unknown;
        try {
          document = JSON.parse(readFileSync(join(folder, name), 'utf8'));
        } catch (error) {
          // Not complete, because the process was ended.
          if (error instanceof SyntaxError) continue;
          throw error;
        }
        use(document);
      }
    });
  }
}

/**
 * Runs Stele once more and lists the machine code that V8's optimizing compiler made of JavaScript. The program has nothing on its standard
 * input, and what it writes is discarded. @param args of the command @param timeout milliseconds
 */
export function listRun(args: readonly string[], line: (text: string) => void, timeout: number): Promise<ListingRun> {
  return inFolder(async (folder) => {
    const output = join(folder, 'listing');
    // Nothing is optimized beside the program: else a short one may end before.
    const optimize = ['--no-concurrent-recompilation', '--no-concurrent-osr'];
    const flags = [...optimize, '--print-opt-code', '--redirect-code-traces', `--redirect-code-traces-to=${output}`];
    const [node, ...rest] = steleCommand();
    const timedOut = await finished([node, ...flags, ...rest, ...args], '/dev/null', timeout);
    eachLine(output, line);
    return { timedOut };
  });
}

async function inFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'stele-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes modules to a file. @returns its path */
function written(modules: readonly Uint8Array[], folder: string): string {
  const path = join(folder, 'modules');
  const parts = modules.flatMap((bytes) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return [length, bytes];
  });
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

/** Runs a command to its end or its timeout. @param cwd where V8 leaves what it traces besides @returns whether it was ended */
function finished(
  [program, ...args]: readonly string[],
  output: string,
  timeout: number,
  cwd?: string,
): Promise<boolean> {
  const descriptor = openSync(output, 'w');
  const { NODE_OPTIONS: _, ...env } = process.env;
  const stdio = ['ignore', descriptor, 'ignore'] as const;
  const child = spawn(program, args, { cwd, env, timeout, killSignal: 'SIGKILL', stdio: [...stdio] });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (_code, signal) => {
      closeSync(descriptor);
      resolve(child.killed && signal === 'SIGKILL');
    });
  });
}

/** Listings may be larger than a string can be. */
function eachLine(path: string, line: (text: string) => void): void {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    // Nothing was listed.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const buffer = Buffer.alloc(1 << 20);
  let rest = '';
  for (;;) {
    const length = readSync(descriptor, buffer);
    if (length === 0) break;
    const lines = (rest + buffer.toString('latin1', 0, length)).split('\n');
    rest = lines.pop() as string;
    for (const text of lines) line(text);
  }
  closeSync(descriptor);
  if (rest !== '') line(rest);
}
