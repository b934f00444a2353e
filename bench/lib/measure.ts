/** Measures whole processes: wall time and the processor time of all their threads. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Measurement {
  /** Seconds. */
  readonly wall: number;
  /** Seconds, user and system time. */
  readonly cpu: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Exit status, or 128 + the number of the signal that it died of. */
  readonly status: number;
}

/** bash reports what wait4(2) says of the child; Node does not tell the resources of a single child. */
const script = 'TIMEFORMAT="%3R %3U %3S"; exec 3>&2; { time "$@" 2>&3; } 2>"$0"';

/**
 * Runs a command to its end.
 * @param timeout seconds after which it is killed
 */
export async function measure(command: readonly string[], timeout = 300): Promise<Measurement> {
  const folder = mkdtempSync(join(tmpdir(), 'stele-measure-'));
  const report = join(folder, 'times');
  try {
    const result = await collect(['bash', '-c', script, report, ...command], timeout);
    const [wall, user, system] = readFileSync(report, 'utf8').trim().split('\n').at(-1)!.split(' ').map(Number);
    return { ...result, wall, cpu: user + system };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function collect(command: readonly string[], timeout: number): Promise<Omit<Measurement, 'wall' | 'cpu'>> {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    // The measured program is a child of bash: end the whole group.
    const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), timeout * 1000);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (signal !== null) reject(new Error(`${command.slice(4).join(' ')}: ended by ${signal} (limit ${timeout} s)`));
      else resolve({ status: code ?? 128 + constants.signals.SIGKILL, stdout, stderr });
    });
  });
}
