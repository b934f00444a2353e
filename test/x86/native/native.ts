/** The processor itself as the oracle: runner.c built for both modes, and cases run on it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Case, caseSize, Outcome, outcomeSize } from './case.ts';

const source = join(import.meta.dirname, 'runner.c');

const compilers = {
  32: ['i686-linux-gnu-gcc', '-msse2'],
  64: ['gcc'],
} as const;

const works = (command: string, ...options: string[]): boolean => spawnSync(command, options).status === 0;

/** Runs cases of one mode on the host's processor. */
export class NativeRunner {
  private readonly directory: string;
  private readonly program: string;

  /** What is missing for this mode on this host; undefined when nothing is. */
  static missing(mode: 32 | 64): string | undefined {
    if (process.platform !== 'linux' || process.arch !== 'x64') return 'an x86-64 Linux host';
    const [compiler] = compilers[mode];
    return works(compiler, '--version') ? undefined : compiler;
  }

  constructor(mode: 32 | 64) {
    this.directory = mkdtempSync(join(tmpdir(), 'stele-native-'));
    this.program = join(this.directory, `runner${mode}`);
    const [compiler, ...options] = compilers[mode];
    const command = [...options, '-O1', '-Wall', '-static', '-fno-stack-protector', '-o', this.program, source];
    const built = spawnSync(compiler, command);
    if (built.status !== 0) throw new Error(`${compiler} cannot build ${source}: ${built.stderr}`);
  }

  run(cases: readonly Case[]): Outcome[] {
    const input = new Uint8Array(cases.length * caseSize);
    for (const [n, { bytes }] of cases.entries()) input.set(bytes, n * caseSize);
    const ran = spawnSync(this.program, { input, maxBuffer: (cases.length + 1) * outcomeSize });
    if (ran.status !== 0 || ran.stdout.length !== cases.length * outcomeSize) {
      const done = Math.floor(ran.stdout.length / outcomeSize);
      const code = cases[done] === undefined ? '' : Buffer.from(cases[done].code).toString('hex');
      throw new Error(`the runner ended with ${ran.signal ?? ran.status} after ${done} cases; the next is ${code}`);
    }
    // A copy, because typed arrays need alignment.
    const output = new Uint8Array(ran.stdout);
    return cases.map((_, n) => new Outcome(output.slice(n * outcomeSize, (n + 1) * outcomeSize)));
  }

  close(): void {
    rmSync(this.directory, { recursive: true });
  }
}
