/** Runs guest programs on Stele and on QEMU, as a user would from a shell. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Case } from '../guests/cases.ts';
import { binaryPath } from '../guests/programs.ts';

/** How a run ended and what it wrote. */
export interface Outcome {
  /** Exit status, or 128 + the number of the signal that it died of. */
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export const engines = ['interpreted', 'blocks', 'regions', 'wasm', 'auto'] as const;
export type Engine = (typeof engines)[number];

const root = join(import.meta.dirname, '../..');

/** Milliseconds after which a run is killed. */
const patience = 60_000;

/** When what is newest in a folder, or a file itself, was written last. */
export function newest(path: string): number {
  const status = statSync(path);
  if (!status.isDirectory()) return status.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

let entry: string | undefined;

/** Stele's entry: the built one, or the sources when they are newer than it. */
export function steleEntry(): string {
  if (entry === undefined) {
    const built = join(root, 'dist/stele.js');
    const sources = Math.max(newest(join(root, 'src')), newest(join(root, 'translators')));
    entry = existsSync(built) && statSync(built).mtimeMs >= sources ? built : join(root, 'src/cli/main.ts');
  }
  return entry;
}

/** The command line that runs a guest on an engine, without what earlier runs kept; the guest's path and arguments follow. */
export function steleCommand(engine: Engine, ...options: string[]): string[] {
  return [process.execPath, steleEntry(), 'run', '--engine', engine, '--no-cache', ...options];
}

/** The same with translations that are kept in a directory. */
export function cachingCommand(engine: Engine, directory: string, ...options: string[]): string[] {
  return [process.execPath, steleEntry(), 'run', '--engine', engine, '--cache-dir', directory, ...options];
}

/** The version of the installed qemu-ppc, such as `7.2`; undefined without one. */
export function qemuVersion(): string | undefined {
  const { status, stdout } = spawnSync('qemu-ppc', ['--version'], { encoding: 'utf8' });
  return status === 0 ? /version (\d+\.\d+)/.exec(stdout)?.[1] : undefined;
}

/** Whether the host runs programs of these guests itself: with an x86-64 processor and a kernel that knows both. */
export function runsNatively(program: string): boolean {
  return process.arch === 'x64' && spawnSync(program, ['exit']).error === undefined;
}

/** Runs a command and collects what it writes; nothing of the caller's environment but the search path is passed on. */
export function run(
  command: readonly string[],
  options: { cwd?: string; argv0?: string; stdin?: string; environment?: Readonly<Record<string, string>> } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0], command.slice(1), {
      cwd: options.cwd,
      argv0: options.argv0,
      env: { PATH: process.env.PATH, ...options.environment },
      timeout: patience,
      killSignal: 'SIGKILL',
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk) => stdout.push(chunk));
    child.stderr.on('data', (chunk) => stderr.push(chunk));
    child.stdin.on('error', () => {}); // a guest need not read all of its input
    child.stdin.end(options.stdin ?? '');
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const status = signal === null ? (code ?? 0) : 128 + constants.signals[signal];
      resolve({ status, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() });
    });
  });
}

/** Runs a case by an emulator's command in a new, empty directory. */
export function runCase(command: readonly string[], one: Case, binary = binaryPath(one.program)): Promise<Outcome> {
  // argv[0] is a name, not a path, so that output does not tell where the checkout lies.
  return runInNewDirectory([...command, '-0', one.program, binary, ...one.args], one);
}

/** Runs a case on the processor itself. */
export function runNatively(one: Case, binary = binaryPath(one.program)): Promise<Outcome> {
  return runInNewDirectory([binary, ...one.args], one, one.program);
}

async function runInNewDirectory(command: readonly string[], one: Case, argv0?: string): Promise<Outcome> {
  const cwd = mkdtempSync(join(tmpdir(), 'stele-guest-'));
  try {
    return await run(command, {
      cwd,
      argv0,
      stdin: one.stdin,
      environment: one.environment,
    });
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}
