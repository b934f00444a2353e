/** What `--stats --json` tells of a program whose work is known, and the end of one that never ends. */
import { spawn } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { binaryPath } from '../guests/programs.ts';
import { engines, run, steleCommand } from './run-guest.ts';

/** Of src/freestanding/count.S: seven instructions around 2 million rounds of four. */
const instructions = 2_000_000 * 4 + 7;

describe.each(engines)('engine %s', (engine) => {
  test('counts the guest instructions of a loop exactly', { timeout: 60_000 }, async () => {
    const { stderr } = await run([...steleCommand(engine, '--json'), binaryPath('count')]);
    expect(JSON.parse(stderr).guestInstructions).toBe(instructions);
  });

  test('a loop without end dies of SIGTERM', { timeout: 60_000 }, async () => {
    const [program, ...args] = [...steleCommand(engine), binaryPath('endless')];
    const child = spawn(program, args, { stdio: 'ignore' });
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const ended = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
    child.kill('SIGTERM');
    expect(await ended).toBe('SIGTERM');
  });
});
