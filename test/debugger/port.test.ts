/** `stele run -g`: where a debugger finds the guest, and what is said of it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { bytesOf, encodePacket } from '../../src/debugger/packets.ts';
import { binaryPath } from '../guests/programs.ts';
import { steleEntry } from '../programs/run-guest.ts';

const folder = mkdtempSync(join(tmpdir(), 'stele-port-'));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true }));

const command = (where: string, ...options: string[]): string[] => [
  steleEntry(),
  'run',
  ...options,
  '-g',
  where,
  binaryPath('x86-64/debugged'),
];

interface Waiting {
  /** Resolves when standard error has this many lines. */
  lines(count: number): Promise<string[]>;
  readonly end: Promise<number | null>;
}

function start(where: string, ...options: string[]): Waiting {
  const child = spawn(process.execPath, command(where, ...options), { stdio: ['ignore', 'ignore', 'pipe'] });
  children.push(child);
  let text = '';
  let look = (): void => {};
  child.stderr?.on('data', (piece) => {
    text += piece;
    look();
  });
  return {
    end: new Promise((resolve) => child.on('close', resolve)),
    lines: (count) =>
      new Promise((resolve) => {
        look = () => {
          const lines = text.split('\n').slice(0, -1);
          if (lines.length >= count) resolve(lines);
        };
        look();
      }),
  };
}

/** Connects, sends packets, and gives what has arrived when it ends with `end`. */
function talk(socket: Socket, end: string, ...packets: string[]): Promise<string> {
  let text = '';
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (piece) => {
      text += piece.toString('latin1');
      if (text.includes(end)) resolve(text);
    });
    socket.on('close', () => resolve(text));
    for (const packet of packets) socket.write(encodePacket(bytesOf(packet)));
  });
}

/** What may be told of no signal is passed on: the guest runs to its end. */
const toTheEnd = ['QStartNoAckMode', 'QPassSignals:1e', 'c'];

describe('a port', () => {
  test('is one that is free where 0 is asked for; a second debugger is turned away', async () => {
    const stele = start('0');
    const [line] = await stele.lines(1);
    expect(line).toMatch(/^stele: waiting for a debugger; in gdb: target remote :\d+$/);
    const port = Number(line.split(':').at(-1));
    const socket = createConnection({ host: '127.0.0.1', port });
    expect(await talk(socket, '#', '?')).toContain('$T05thread:');
    const second = createConnection({ host: '127.0.0.1', port });
    expect(await talk(second, '#', '?').catch(() => '')).toBe('');
    expect(await talk(socket, '$W2a', ...toTheEnd)).toContain('$W2a#');
    expect(await stele.end).toBe(42);
  });

  test('is open to this machine only', async () => {
    const stele = start('0');
    const port = Number((await stele.lines(1))[0].split(':').at(-1));
    const listening = spawnSync('ss', ['-Hltn', `sport = :${port}`], { encoding: 'utf8' });
    // Where the tool is not here, an address of the loopback network that nobody listens at says the same.
    if (listening.status === 0) expect(listening.stdout).toContain(`127.0.0.1:${port}`);
    else await expect(talk(createConnection({ host: '127.0.0.2', port }), '#', '?')).rejects.toThrow('ECONNREFUSED');
  });

  test('that there is none of is a mistake in the command line', () => {
    const { status, stderr } = spawnSync(process.execPath, command('99999'), { encoding: 'utf8', timeout: 30_000 });
    expect(stderr).toMatch(/^stele: -g: 99999: /);
    expect(status).toBe(1);
  });

  test('that is taken is said to be', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const stele = start(String(port));
    expect((await stele.lines(1))[0]).toMatch(new RegExp(`^stele: -g: ${port}: .*EADDRINUSE`));
    expect(await stele.end).toBe(1);
    server.close();
  });
});

describe('a Unix socket', () => {
  const path = join(folder, 'socket');

  test('is for this user only, and gone at the end; the debugger may come back', async () => {
    const stele = start(path);
    expect(await stele.lines(1)).toEqual([`stele: waiting for a debugger; in gdb: target remote ${path}`]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const socket = createConnection({ path });
    expect(await talk(socket, '#', '?')).toContain('$T05');
    socket.destroy();
    expect((await stele.lines(2))[1]).toBe(`stele: the debugger is gone; waiting for another one at ${path}`);
    expect(await talk(createConnection({ path }), '$W2a', ...toTheEnd)).toContain('$W2a');
    expect(await stele.end).toBe(42);
    expect(existsSync(path)).toBe(false);
  });

  test('that somebody left is taken over, a file is not', async () => {
    const first = start(path);
    await first.lines(1);
    children.at(-1)?.kill('SIGKILL');
    await first.end;
    expect(existsSync(path)).toBe(true);
    const second = start(path);
    expect((await second.lines(1))[0]).toContain('waiting for a debugger');
    const third = start(path);
    expect((await third.lines(1))[0]).toMatch(/^stele: -g: .*EADDRINUSE/);
    const file = join(folder, 'file');
    writeFileSync(file, 'kept');
    const fourth = start(file);
    expect((await fourth.lines(1))[0]).toMatch(/^stele: -g: .*EADDRINUSE/);
    expect(statSync(file).size).toBe(4);
  });
});

test('an engine that runs the guest on the processor is replaced, which is said', async () => {
  const stele = start('0', '--engine', 'virtualized');
  const [first, second] = await stele.lines(2);
  expect(first).toBe('stele: the engine virtualized cannot be debugged; using auto');
  expect(second).toContain('waiting for a debugger');
});
