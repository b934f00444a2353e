/** Sessions of GDB itself, with every guest: what its users do all day. */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { binaryPath, type Guest, guests } from '../guests/programs.ts';
import { steleCommand } from '../programs/run-guest.ts';
import { debuggedProgram, lineOf } from './client.ts';

const gdb = ['gdb-multiarch', 'gdb'].find((name) => spawnSync(name, ['--version']).status === 0);
/** Debian's gdb knows its own processor only. */
const knowsAll = gdb === 'gdb-multiarch';
const folder = mkdtempSync(join(tmpdir(), 'stele-gdb-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What the program's line table takes for the compiler's directory. */
const sources = join(import.meta.dirname, '../guests');

/** Milliseconds that a session may take. */
const patience = 50_000;

interface Session {
  /** What GDB printed, a line each. */
  readonly lines: readonly string[];
  /** How Stele ended, and what it wrote. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program under GDB. @param where where they meet @param script GDB's commands once it is connected */
function debug(
  guest: Guest,
  letter: string,
  script: readonly string[],
  where: string,
  engine: 'auto' | 'interpreted',
): Promise<Session> {
  const program = binaryPath(debuggedProgram(guest));
  const [node, ...args] = [...steleCommand(engine, '-g', where), program, letter];
  return new Promise((resolve, reject) => {
    const stele = spawn(node, args, { timeout: patience, killSignal: 'SIGKILL' });
    let stdout = '';
    let stderr = '';
    let lines: Promise<string[]> | undefined;
    stele.stdout.on('data', (text) => {
      stdout += text;
    });
    stele.stderr.on('data', (text) => {
      stderr += text;
      const place = /target remote (\S+)\n/.exec(stderr)?.[1];
      if (place !== undefined) lines ??= runGdb(place, script);
    });
    stele.on('error', reject);
    stele.on('close', (status, signal) => {
      if (lines === undefined) reject(new Error(`Stele did not wait for a debugger: ${stderr}`));
      else lines.then((found) => resolve({ lines: found, status, signal, stdout, stderr }), reject);
    });
  });
}

/** Both of GDB's streams go to one file: what the guest's side says is on standard error, and two pipes are read in any order. */
function runGdb(place: string, script: readonly string[]): Promise<string[]> {
  const settings = ['set pagination off', 'set width 0', 'set confirm off', `target remote ${place}`];
  const args = [...settings, ...script].flatMap((command) => ['-ex', command]);
  const file = join(folder, 'output');
  const output = openSync(file, 'w');
  return new Promise<string[]>((resolve, reject) => {
    const child = spawn(gdb as string, ['-nx', '-batch', ...args], {
      stdio: ['ignore', output, output],
      timeout: patience,
      cwd: sources,
    });
    child.on('error', reject);
    child.on('close', () => resolve(readFileSync(file, 'utf8').split('\n')));
  }).finally(() => closeSync(output));
}

/** Has GDB interrupted, as by Ctrl-C, once the guest runs. */
const interruptSoon = 'shell (sleep 1; kill -INT $PPID) &';

/** Whether lines like these follow each other, with others between them. */
function expectInOrder(lines: readonly string[], patterns: readonly (RegExp | string)[]): void {
  let at = 0;
  for (const pattern of patterns) {
    const found = lines.findIndex(
      (line, i) => i >= at && (typeof pattern === 'string' ? line === pattern : pattern.test(line)),
    );
    expect(found, `${pattern} in\n${lines.slice(at).join('\n')}`).toBeGreaterThanOrEqual(at);
    at = found + 1;
  }
}

const totalLine = lineOf('total += square(i)');

if (gdb === undefined) {
  test('GDB is not here: what it makes of guests was left out', () => expect(gdb).toBeUndefined());
} else {
  describe.each(guests.filter((guest) => knowsAll || guest !== 'powerpc'))('%s', (guest) => {
    test('break, backtrace, finish, step, next, print, watch, conditions, signals, to the end', async () => {
      const script = [
        // The program's symbols come from Stele.
        'tbreak inner if depth == 0', 'continue', 'backtrace',
        'step', 'info source', 'print n', 'finish',
        'tbreak scale', 'continue', 'print *p', 'print factor', 'print ratio', 'next', 'next', 'print p->y', 'finish',
        'tbreak count', 'continue', 'watch counter', 'continue', 'continue', 'continue', 'print i', 'delete',
        'break square if n == 50', 'continue', 'up', 'print total', 'info locals', 'delete',
        'tbreak handle', 'continue', 'print $_siginfo.si_signo', 'continue', 'backtrace', 'next', 'print counter', 'delete',
        `tbreak ${lineOf('"counted')}`, 'continue', 'print square(12)', 'print scale(&origin, 0.5)', 'print origin.y', 'set var origin.y = 1.25', 'print origin',
        'print $_exitcode', 'continue', 'print $_exitcode',
      ]; // biome-ignore format: as one types them
      const { lines, status, stdout } = await debug(guest, '-', script, '0', 'auto');
      expectInOrder(lines, [
        /^Temporary breakpoint 1, inner \(depth=0\)/,
        /^#0 .*inner \(depth=0\)/,
        /^#1 .*inner \(depth=1\)/,
        /^#2 .*inner \(depth=2\)/,
        /^#3 .*inner \(depth=3\)/,
        /^#4 .*start \(stack=/,
        /^#5 .*_start \(\)/,
        /^square \(n=5\) at .*debugged\.c/,
        /^Current source file is .*debugged\.c/,
        '$1 = 5',
        'Value returned is $2 = 25',
        /^Temporary breakpoint 2, scale/,
        /^\$3 = \{x = 7, y = 2\.5, name = 0x[0-9a-f]+ "origin", tail = \{1, -2, 3\}\}$/,
        '$4 = 4',
        '$5 = 0.75',
        '$6 = 10',
        'Value returned is $7 = 10',
        /^Temporary breakpoint 3, count \(n=100\)/,
        'Hardware watchpoint 4: counter',
        'Old value = 0',
        'New value = 1',
        'Old value = 1',
        'New value = 3',
        'Old value = 3',
        'New value = 6',
        '$8 = 3',
        /^Breakpoint 5, square \(n=50\)/,
        new RegExp(`^#1 .*count \\(n=100\\) at .*:${totalLine}$`),
        '$9 = 40425',
        'i = 50',
        'Program received signal SIGUSR1, User defined signal 1.',
        '$10 = 10',
        /^Temporary breakpoint 6, handle \(signal=10\)/,
        /^#0 .*handle/,
        '#1  <signal handler called>',
        /^#2 .*call \(/,
        /^#3 .*start \(/,
        '$11 = 1010',
        /^Temporary breakpoint 7, start/,
        '$12 = 144',
        '$13 = 5',
        '$14 = 5',
        /^\$15 = \{x = 7, y = 1\.25,/,
        '$16 = void',
        '[Inferior 1 (Remote target) exited with code 052]',
        '$17 = 42',
      ]);
      expect({ status, stdout }).toEqual({ status: 42, stdout: 'counted\n' });
    });

    test('an endless loop is interrupted; accesses are watched; the guest is let go and runs on', async () => {
      // GDB looks at the condition itself: each change until it holds takes some messages.
      const script = [
        'handle SIGUSR1 nostop noprint pass', 'rwatch origin.y', 'continue', 'delete', 'awatch ratio', 'tbreak spin', 'continue',
        interruptSoon, 'continue', 'backtrace 1', 'watch total if total % 10 == 0', 'continue', 'print total % 10', 'delete',
        'stepi', 'stepi', 'x/i $pc', 'info registers', 'monitor engine', 'set var running = 0', 'detach',
      ]; // biome-ignore format: as one types them
      const { lines, status, stdout } = await debug(guest, 's', script, join(folder, guest), 'interpreted');
      expectInOrder(lines, [
        'Hardware read watchpoint 1: origin.y',
        'Hardware read watchpoint 1: origin.y',
        'Value = 2.5',
        'Hardware access (read/write) watchpoint 2: ratio',
        /^Temporary breakpoint 3, spin \(\)/,
        'Program received signal SIGINT, Interrupt.',
        /^#0 .*spin \(\)/,
        'Hardware watchpoint 4: total',
        /^New value = \d+0$/,
        '$1 = 0',
        /^=> 0x[0-9a-f]+ <spin\+\d+>:/,
        /^(r1|esp|rsp) +0x7ef/,
        'interpreted',
        '[Inferior 1 (Remote target) detached]',
      ]);
      expect({ status, stdout }).toEqual({ status: 42, stdout: 'counted\n' });
    });

    test('a fault is shown where it is, and is what the guest dies of', async () => {
      const script = [
        'handle SIGUSR1 nostop noprint pass',
        'continue',
        'backtrace',
        'frame 1',
        'print place',
        'continue',
      ];
      const { lines, signal, stderr } = await debug(guest, 'f', script, '0', 'auto');
      expectInOrder(lines, [
        'Program received signal SIGSEGV, Segmentation fault.',
        new RegExp(`^#0 .*fail \\(place=0x0\\) at .*debugged\\.c:${lineOf('int before = *place')}$`),
        /^#1 .*lead \(n=31\)/,
        /^#2 .*start \(stack=/,
        '$1 = (int *) 0x0',
        'Program terminated with signal SIGSEGV, Segmentation fault.',
      ]);
      expect(signal).toBe('SIGSEGV');
      expect(stderr).toContain('stele: uncaught target signal 11');
    });
  });
}
