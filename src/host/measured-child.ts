/** Runs a program as a child and measures it: wall time, its processor time, its peak memory. */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadFunctions } from './koffi.ts';

export interface ChildRun {
  /** Seconds. */
  readonly wall: number;
  /** Seconds; undefined where the C library cannot be called. */
  readonly user: number | undefined;
  readonly system: number | undefined;
  /** Largest resident set in bytes; undefined likewise. */
  readonly peakMemory: number | undefined;
  /** Page faults that the host's kernel served without reading a file; undefined likewise. */
  readonly minorFaults: number | undefined;
  /** Exit status, or 128 + the number of the signal that ended it. */
  readonly status: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly timedOut: boolean;
}

export interface ChildOptions {
  /** Seconds after which it is killed. */
  readonly timeout: number;
  /** A file that it reads as its standard input; undefined: nothing. */
  readonly input?: string | undefined;
}

/** System call waitid, with the resources that the child used, which the C library's function does not tell. */
interface Native {
  waitid(number: number, kind: number, id: number, info: Uint8Array, options: number, usage: Uint8Array): number;
}

const waitidNumbers: Readonly<Record<string, number>> = { x64: 247, arm64: 95, ppc64: 272, s390x: 281, riscv64: 95 };
const P_PID = 1;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;

function loadNative(): Native | undefined {
  if (process.platform !== 'linux' || waitidNumbers[process.arch] === undefined) return undefined;
  const functions = loadFunctions<Native>({
    waitid: 'long syscall(long number, long kind, long id, void *info, long options, void *usage)',
  });
  return 'reason' in functions ? undefined : functions;
}

let native: Native | undefined | null = null;

/** Whether processor time and memory of a child can be measured, which takes koffi. */
export function canMeasureResources(): boolean {
  if (native === null) native = loadNative();
  return native !== undefined;
}

const sleepWord = new Int32Array(new SharedArrayBuffer(4));
const sleep = (milliseconds: number): void => {
  Atomics.wait(sleepWord, 0, 0, milliseconds);
};

/**
 * Runs a command to its end, without a shell.
 * @throws Error when it cannot be started
 */
export async function runMeasured(command: readonly string[], options: ChildOptions): Promise<ChildRun> {
  const folder = mkdtempSync(join(tmpdir(), 'stele-'));
  const opened: number[] = [];
  const open = (path: string, flags: string): number => {
    const descriptor = openSync(path, flags);
    opened.push(descriptor);
    return descriptor;
  };
  const outputs = [join(folder, 'stdout'), join(folder, 'stderr')];
  try {
    const input = open(options.input ?? '/dev/null', 'r');
    // Files, not pipes: nobody has to read while the child runs, so that waiting is all that there is to do.
    const [stdout, stderr] = outputs.map((path) => open(path, 'w'));
    const start = performance.now();
    const child = spawn(command[0], command.slice(1), { stdio: [input, stdout, stderr] });
    const ended = new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
    });
    let timedOut = false;
    const kill = (): void => {
      timedOut = true;
      child.kill('SIGKILL');
    };
    let end: number;
    let usage: DataView | undefined;
    if (canMeasureResources() && child.pid !== undefined) {
      usage = waitFor(child.pid, start + options.timeout * 1000, kill);
      end = performance.now();
      await ended;
    } else {
      const timer = setTimeout(kill, options.timeout * 1000);
      await ended;
      end = performance.now();
      clearTimeout(timer);
    }
    const [out, err] = outputs.map((path) => readFileSync(path));
    return { wall: (end - start) / 1000, ...resources(usage), status: await ended, stdout: out, stderr: err, timedOut };
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits until a child has ended, but leaves it to Node to take note of that. @returns struct rusage */
function waitFor(pid: number, deadline: number, kill: () => void): DataView {
  const info = new Uint8Array(128);
  const usage = new Uint8Array(144);
  const begin = performance.now();
  let wasKilled = false;
  for (;;) {
    info.fill(0);
    (native as Native).waitid(waitidNumbers[process.arch], P_PID, pid, info, WEXITED | WNOWAIT | WNOHANG, usage);
    // si_signo is set once there is a child to wait for.
    if (info[0] !== 0) return new DataView(usage.buffer);
    const now = performance.now();
    if (now > deadline && !wasKilled) {
      kill();
      wasKilled = true;
    }
    // A thousandth of what has passed, between 0.1 and 5 ms.
    sleep(Math.min(5, Math.max(0.1, (now - begin) / 1000)));
  }
}

/** From struct rusage: two timevals, the resident set in KiB; the fourth long behind that counts faults. */
function resources(usage: DataView | undefined): Pick<ChildRun, 'user' | 'system' | 'peakMemory' | 'minorFaults'> {
  if (usage === undefined) {
    return { user: undefined, system: undefined, peakMemory: undefined, minorFaults: undefined };
  }
  const seconds = (at: number): number =>
    Number(usage.getBigInt64(at, true)) + Number(usage.getBigInt64(at + 8, true)) / 1e6;
  const count = (at: number): number => Number(usage.getBigInt64(at, true));
  return { user: seconds(0), system: seconds(16), peakMemory: count(32) * 1024, minorFaults: count(64) };
}
