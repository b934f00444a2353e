/** Hostile programs in a process of their own, and what became of it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** What a process that ran hostile programs tells at its end. */
export interface HostileSummary {
  programs: number;
  /** Programs that ran as translated code before they ended, and that entered handlers. */
  translated: number;
  handled: number;
  /** Programs by how they ended: `exit`, a signal's name, `endless`, `waits`. */
  readonly ends: Record<string, number>;
  /** What an engine did otherwise than the interpreter, or must not do. */
  readonly differences: string[];
}

/** Begins the line of the summary. */
export const summaryMark = 'summary ';

/**
 * Runs the programs of some seeds.
 * @param seconds after which no other program is begun
 * @param patience milliseconds without a run's end after which a run hangs
 * @throws Error that names the seed and the way of the run in which the host's process died or hung
 */
export function runHostile(first: number, count: number, seconds: number, patience = 60_000): Promise<HostileSummary> {
  return new Promise((resolve, reject) => {
    const script = join(import.meta.dirname, 'hostile-runner.ts');
    // Standard input is at its end: a guest may read it.
    const child = spawn(process.execPath, [script, `${first}`, `${count}`, `${seconds}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [last, rest, stderr, hangs] = ['nothing', '', '', false];
    let summary: HostileSummary | undefined;
    const hang = (): void => {
      hangs = true;
      child.kill('SIGKILL');
    };
    let timer = setTimeout(hang, patience);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      clearTimeout(timer);
      timer = setTimeout(hang, patience);
      const lines = (rest + text).split('\n');
      rest = lines.pop() as string;
      for (const line of lines) {
        if (line.startsWith(summaryMark)) summary = JSON.parse(line.slice(summaryMark.length));
        else last = line;
      }
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      const why = hangs ? 'a hang' : (signal ?? `exit status ${status}`);
      if (status === 0 && summary !== undefined) resolve(summary);
      else reject(new Error(`hostile program ${last}: ${why}\n${stderr}`));
    });
  });
}
