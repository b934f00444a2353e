/** A debugged guest, as a debugger drives it packet by packet. */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { bytesOf, fromHex, textOf, toHex } from '../../src/debugger/packets.ts';
import { type EngineName, portableEngineNames } from '../../src/engines/create-engine.ts';
import { guests } from '../guests/programs.ts';
import { type DebuggedRun, startDebugged } from './client.ts';

const hex = (value: number): string => value.toString(16);

/** Number, bytes and byte order of the program counter and the stack pointer; bytes of all registers. */
const facts = {
  powerpc: { pc: 32, stack: 1, bytes: 4, isBig: true, all: 32 * 4 + 4 * 6 + 32 * 8 + 4 + 8 },
  i386: { pc: 8, stack: 4, bytes: 4, isBig: false, all: 16 * 4 + 8 * 10 + 8 * 4 + 8 * 16 + 4 + 4 },
  'x86-64': { pc: 16, stack: 7, bytes: 8, isBig: false, all: 17 * 8 + 7 * 4 + 8 * 10 + 8 * 4 + 16 * 16 + 4 + 3 * 8 },
} as const;

/** A number in the guest's byte order, as hexadecimal digits. */
function ordered(guest: keyof typeof facts, value: number, length: number = facts[guest].bytes): string {
  const digits = fromHex(value.toString(16).padStart(2 * length, '0')) as Uint8Array;
  return toHex(facts[guest].isBig ? digits : digits.toReversed());
}

async function readPc({ client }: DebuggedRun, guest: keyof typeof facts): Promise<number> {
  const bytes = fromHex(await client.ask(`p${hex(facts[guest].pc)}`)) as Uint8Array;
  return Number(`0x${toHex(facts[guest].isBig ? bytes : bytes.toReversed())}`);
}

/** Lets the guest come to a function's beginning. */
async function runTo(run: DebuggedRun, symbol: string): Promise<void> {
  const place = `Z0,${hex(run.address(symbol))},4`;
  expect(await run.client.ask(place)).toBe('OK');
  expect(await run.client.ask('vCont;c')).toMatch(/^T05/);
  expect(await run.client.ask(`z${place.slice(1)}`)).toBe('OK');
}

const combinations = guests.flatMap((guest) =>
  portableEngineNames.map((engine): [typeof guest, EngineName] => [guest, engine]),
);

describe.each(combinations)('%s, %s', (guest, engine) => {
  test('stops at breakpoints, steps, and ends with its exit status', async () => {
    const run = startDebugged(guest, engine);
    const { client } = run;
    expect(await client.ask('?')).toMatch(/^T05thread:/);
    expect(await client.ask('qSupported:swbreak+;hwbreak+')).toContain('ConditionalBreakpoints+');
    const inner = run.address('inner');
    expect(await client.ask(`Z0,${hex(inner)},4`)).toBe('OK');
    for (let depth = 3; depth >= 0; depth--) {
      expect(await client.ask('vCont;c')).toMatch(/^T05swbreak:;thread:/);
      expect(await readPc(run, guest)).toBe(inner);
    }
    // Breakpoints are taken away and set again while the guest stands, and none of it is seen.
    expect(await client.ask(`z0,${hex(inner)},4`)).toBe('OK');
    expect(await client.ask('vCont;s')).toMatch(/^T05thread:/);
    const next = await readPc(run, guest);
    expect(next).toBeGreaterThan(inner);
    expect(next - inner).toBeLessThan(8);
    expect(await client.ask(`Z1,${hex(run.address('count'))},4`)).toBe('OK');
    expect(await client.ask('c')).toMatch(/^T05hwbreak:;/);
    expect(await client.ask('QPassSignals:1e')).toBe('OK');
    expect(await client.ask('c')).toBe('W2a');
    expect(await run.ended).toEqual({ kind: 'exit', code: 42 });
    expect(client.closed).toBe(true);
  });

  test('an endless loop is interrupted, and goes on where memory is changed', async () => {
    const run = startDebugged(guest, engine, 's');
    const { client } = run;
    await client.ask('QPassSignals:1e');
    await runTo(run, 'spin');
    client.send('vCont;c');
    client.session.received(Uint8Array.of(3));
    expect(await client.reply()).toMatch(/^T02thread:/);
    const pc = await readPc(run, guest);
    expect(pc - run.address('spin')).toBeLessThan(0x80);
    // Again: the guest was running in between.
    client.send('c');
    client.session.received(Uint8Array.of(3));
    expect(await client.reply()).toMatch(/^T02/);
    const place = hex(run.address('running'));
    expect(await client.ask(`m${place},4`)).toBe(ordered(guest, 1, 4));
    expect(await client.ask(`M${place},4:00000000`)).toBe('OK');
    expect(await client.ask('c')).toBe('W2a');
  });

  test('a write to what is watched stops behind the instruction, and a condition that is false does not', async () => {
    const run = startDebugged(guest, engine);
    const { client } = run;
    await runTo(run, 'count');
    const counter = hex(run.address('counter'));
    expect(await client.ask(`Z2,${counter},4`)).toBe('OK');
    // counter += i, from i = 0 on: the first write changes nothing, and is one all the same.
    for (const value of [0, 1, 3]) {
      expect(await client.ask('vCont;c')).toMatch(new RegExp(`^T05watch:${counter};`));
      expect(await client.ask(`m${counter},4`)).toBe(ordered(guest, value, 4));
    }
    expect(await client.ask(`z2,${counter},4`)).toBe('OK');
    // *counter == 45, which it is at the tenth call from here: const32, ref32, const8, equal, end.
    const condition = `24${run.address('counter').toString(16).padStart(8, '0')}19222d1327`;
    expect(await client.ask(`Z0,${hex(run.address('square'))},4;X${hex(condition.length / 2)},${condition}`)).toBe(
      'OK',
    );
    expect(await client.ask('vCont;c')).toMatch(/^T05/);
    expect(await client.ask(`m${counter},4`)).toBe(ordered(guest, 45, 4));
    expect(await client.ask('vKill;1')).toBe('OK');
    expect(await run.ended).toMatchObject({ kind: 'signal', signal: 9 });
  });

  test('a signal stops the guest, and is passed on or not', async () => {
    for (const [command, counter] of [
      ['C1e', 1010],
      ['c', 4950],
    ] as const) {
      const run = startDebugged(guest, engine, 's');
      const { client } = run;
      expect(await client.ask('c')).toMatch(/^T1ethread:/);
      const info = fromHex(toHex(bytesOf(await client.ask('qXfer:siginfo:read::0,1000')))) as Uint8Array;
      expect(textOf(info.subarray(0, 1))).toBe('l');
      expect(toHex(info.subarray(1, 5))).toBe(ordered(guest, 10, 4));
      await expect(client.ask(`Z0,${hex(run.address('spin'))},4`)).resolves.toBe('OK');
      expect(await client.ask(command)).toMatch(/^T05/);
      expect(await client.ask(`m${hex(run.address('counter'))},4`)).toBe(ordered(guest, counter, 4));
      client.send('k');
      await run.ended;
    }
  });

  test('a fault stops the guest at its instruction, and ends it when it goes on', async () => {
    const run = startDebugged(guest, engine, 'f');
    await run.client.ask('QPassSignals:1e');
    expect(await run.client.ask('c')).toMatch(/^T0bthread:/);
    const pc = await readPc(run, guest);
    expect(pc - run.address('fail')).toBeLessThan(0x20);
    expect(await run.client.ask('C0b')).toBe('X0b');
    expect(await run.ended).toMatchObject({ kind: 'signal', signal: 11, pc });
  });
});

describe.each(guests)('%s', (guest) => {
  const { stack, all } = facts[guest];

  test('registers are read and written, one by one and all at once', async () => {
    const { client, ended } = startDebugged(guest, 'interpreted');
    const before = await client.ask('g');
    expect(before.length).toBe(2 * all);
    const random = (number: number): string =>
      fc.sample(fc.uint8Array({ minLength: 16, maxLength: 16 }), { seed: number, numRuns: 1 }).map(toHex)[0];
    let whole = '';
    let written = 0;
    for (let number = 0; ; number++) {
      const value = await client.ask(`p${hex(number)}`);
      if (value === 'E16') break;
      const wanted = random(number).slice(0, value.length);
      expect(await client.ask(`P${hex(number)}=${wanted}`)).toBe('OK');
      const now = await client.ask(`p${hex(number)}`);
      if (now === wanted) written++;
      expect(await client.ask(`P${hex(number)}=${wanted}00`)).toBe('E16');
      whole += now;
    }
    expect(await client.ask('g')).toBe(whole);
    // All but those that hold fewer bits, or what cannot be changed.
    expect(written).toBeGreaterThan(guest === 'i386' ? 20 : 30);
    expect(await client.ask(`G${before}`)).toBe('OK');
    expect(await client.ask('g')).toBe(before);
    expect(await client.ask(`G${before}00`)).toBe('E16');
    client.send('k');
    await ended;
  });

  test('the target description has these registers in this order, and bytes', async () => {
    const { client, ended } = startDebugged(guest, 'interpreted');
    let text = '';
    for (let piece = 'm'; piece.startsWith('m'); text += piece.slice(1)) {
      piece = await client.ask(`qXfer:features:read:target.xml:${hex(text.length)},100`);
      expect(piece).toMatch(/^[ml]/);
    }
    const rows = [...text.matchAll(/<reg name="(\w+)" bitsize="(\d+)" regnum="(\d+)"/g)];
    expect(rows.map(([, , , number]) => Number(number))).toEqual(rows.map((_, index) => index));
    expect(rows.reduce((sum, [, , bits]) => sum + Number(bits) / 8, 0)).toBe(all);
    expect(rows[stack][1]).toBe({ powerpc: 'r1', i386: 'esp', 'x86-64': 'rsp' }[guest]);
    expect(await client.ask('qXfer:features:read:other.xml:0,100')).toBe('E00');
    client.send('k');
    await ended;
  });

  test('the auxiliary vector ends with AT_NULL and has the entry', async () => {
    const { client, ended, debugged } = startDebugged(guest, 'interpreted');
    const vector = toHex(bytesOf(await client.ask('qXfer:auxv:read::0,1000')).subarray(1));
    expect(vector).toContain(ordered(guest, 9) + ordered(guest, debugged.state.pc));
    expect(vector.endsWith(ordered(guest, 0) + ordered(guest, 0))).toBe(true);
    client.send('k');
    await ended;
  });

  test('accesses to what is watched stop, of the kind that is watched for', async () => {
    const run = startDebugged(guest, 'interpreted');
    const { client } = run;
    await runTo(run, 'scale');
    const y = run.address('origin') + (guest === 'i386' ? 4 : 8);
    expect(await client.ask(`Z3,${hex(y)},8`)).toBe('OK');
    expect(await client.ask('vCont;c')).toMatch(new RegExp(`^T05rwatch:${hex(y)};`));
    expect(await client.ask(`z3,${hex(y)},8`)).toBe('OK');
    expect(await client.ask(`Z4,${hex(y + 7)},1`)).toBe('OK');
    expect(await client.ask('vCont;c')).toMatch(new RegExp(`^T05awatch:${hex(y + 7)};`));
    expect(await client.ask(`m${hex(y)},8`)).toBe(guest === 'powerpc' ? '4024000000000000' : '0000000000002440');
    // Neither what lies beside it nor an access of another kind: the handler only writes the counter.
    expect(await client.ask(`z4,${hex(y + 7)},1`)).toBe('OK');
    expect(await client.ask(`Z4,${hex(y + 8)},1`)).toBe('OK');
    expect(await client.ask('QPassSignals:1e')).toBe('OK');
    await runTo(run, 'handle');
    expect(await client.ask(`Z3,${hex(run.address('counter'))},4`)).toBe('OK');
    expect(await client.ask('vCont;c')).toBe('W2a');
  });

  test('steps go on while they lie in a range, up to a breakpoint', async () => {
    const run = startDebugged(guest, 'interpreted');
    const { client } = run;
    await runTo(run, 'square');
    const start = run.address('square');
    const end = run.address('scale');
    expect(await client.ask(`vCont;r${hex(start)},${hex(end)}`)).toMatch(/^T05/);
    const pc = await readPc(run, guest);
    expect(pc < start || pc >= end).toBe(true);
    await runTo(run, 'count');
    expect(await client.ask(`Z0,${hex(start)},4`)).toBe('OK');
    expect(await client.ask(`vCont;r${hex(0x10000)},${hex(0x7f000000)}`)).toMatch(/^T05/);
    expect(await readPc(run, guest)).toBe(start);
    client.send('k');
    await run.ended;
  });
});

test('another debugger may come when one has gone without a word; breakpoints are gone with it', async () => {
  const run = startDebugged('powerpc', 'auto', 's');
  await run.client.ask('QPassSignals:1e');
  expect(await run.client.ask(`Z0,${hex(run.address('count'))},4`)).toBe('OK');
  run.debugged.lose();
  const second = run.connect();
  expect(await second.ask('?')).toMatch(/^T05/);
  expect(await second.ask('c')).toMatch(/^T1e/);
  second.send('c');
  run.debugged.lose();
  const third = run.connect();
  third.send('?');
  expect(await third.reply()).toMatch(/^T02/);
  // A guest that is let go has nobody to stop for.
  expect(await third.ask(`M${hex(run.address('running'))},4:00000000`)).toBe('OK');
  expect(await third.ask(`Z2,${hex(run.address('total'))},4`)).toBe('OK');
  expect(await third.ask('D')).toBe('OK');
  expect(third.closed).toBe(true);
  expect(await run.ended).toEqual({ kind: 'exit', code: 42 });
});

test('a signal of the debugger is delivered without being shown', async () => {
  const run = startDebugged('x86-64', 'auto', 's');
  await run.client.ask('QPassSignals:1e');
  await runTo(run, 'spin');
  expect(await run.client.ask(`M${hex(run.address('counter'))},4:00000000`)).toBe('OK');
  // A step into a handler ends before its first instruction.
  expect(await run.client.ask('vCont;S1e')).toMatch(/^T05/);
  expect(await readPc(run, 'x86-64')).toBe(run.address('handle'));
  expect(await run.client.ask('vCont;C0f')).toBe('X0f');
  // Also in the place of the one that the guest stopped for.
  const other = startDebugged('x86-64', 'auto', 's');
  expect(await other.client.ask('c')).toMatch(/^T1e/);
  expect(await other.client.ask('vCont;C0f')).toBe('X0f');
});

test('packets that are damaged are asked for again, until both sides do without', async () => {
  const { client, ended } = startDebugged('i386', 'interpreted');
  client.session.received(bytesOf('$?#00'));
  expect(await client.next()).toEqual({ kind: 'rejected' });
  client.session.received(bytesOf('$qC#b4'));
  expect(await client.next()).toEqual({ kind: 'acknowledged' });
  const first = await client.next();
  client.session.received(bytesOf('-'));
  expect(await client.next()).toEqual(first);
  expect(await client.ask('QStartNoAckMode')).toBe('OK');
  client.arrived.length = 0;
  client.session.received(bytesOf('$?#00'));
  client.session.received(bytesOf('-'));
  client.send('qsThreadInfo');
  expect(await client.next()).toEqual({ kind: 'packet', data: bytesOf('l') });
  client.send('k');
  await ended;
});

describe('packets and their answers', () => {
  const { client, ended } = startDebugged('x86-64', 'interpreted');
  afterAll(async () => {
    client.send('k');
    await ended;
  });

  // biome-ignore format: one row per line
  test.each([
  ['vMustReplyEmpty', ''], ['qTStatus', ''], ['qCRC:0,1', ''], ['QNonStop:1', ''], ['R00', ''], ['!', ''], ['', ''], ['q', ''], ['v', ''],
  ['m', 'E16'], ['m0', 'E16'], ['m0,', 'E16'], ['m0,4', 'E0e'], ['mffffffffffffffff,4', 'E16'], ['m1fffffffffff,4', 'E0e'], ['m0,0', ''], ['m-1,4', 'E16'],
  ['M0,4:00', 'E16'], ['M0,1:00', 'E0e'], ['M0,1', 'E16'], ['M', 'E16'], ['X0,0:', 'OK'], ['X0,1:a', 'E0e'], ['X0,2:a', 'E16'],
  ['p', 'E16'], ['pffff', 'E16'], ['P0', 'E16'], ['P0=zz', 'E16'], ['G', 'E16'], ['G00', 'E16'],
  ['Z', ''], ['Z9,0,1', ''], ['Z0', 'E16'], ['Z0,x,1', 'E16'], ['Z0,100000000,1', 'E16'], ['Z2,1000,0', 'E16'], ['Z2,1000,fffffff', 'E16'], ['Z2,ffffffff,4', 'E16'],
  ['Z0,1000,1;X', 'E16'], ['Z0,1000,1;Xff,00', 'E16'], ['Z0,1000,1;X1,zz', 'E16'], ['Z0,1000,1;cmds:1', 'OK'], ['z0,77777777,1', 'OK'], ['z2,77777777,1', 'OK'],
  ['vCont', ''], ['vCont;', 'E16'], ['vCont;x', 'E16'], ['vCont;C', 'E16'], ['vCont;Cff', 'E16'], ['vCont;r1', 'E16'], ['vCont;c:7777777', 'E16'], ['cxyz', 'E16'], ['c100000000', 'E16'], ['Szz', 'E16'],
  ['H', 'E16'], ['Hg0', 'OK'], ['Hc-1', 'OK'], ['Hg7777777', 'E16'], ['T7777777', 'E16'], ['QPassSignals:zz', 'E16'], ['QPassSignals:', 'OK'],
  ['qXfer:', ''], ['qXfer:features:read:target.xml', 'E00'], ['qXfer:features:write:target.xml:0:00', ''], ['qXfer:constructor:read::0,1', ''], ['qXfer:siginfo:read::0,80', 'E00'], ['qXfer:auxv:read::fffffff,10', 'l'],
  ['vFile:', ''], ['vFile:open:zz,0,0', 'F-1,2'], ['vFile:open:2f6574632f706173737764,0,0', 'F-1,2'], ['vFile:pread:0,10,0', 'F-1,9'], ['vFile:close:0', 'F-1,9'], ['vFile:fstat:0', 'F-1,9'], ['vFile:setfs:0', 'F0'], ['vFile:unlink:2f', ''],
  ['qRcmd,z', 'E16'], ['x10,0', 'b'], ['x0,10', 'E0e'],
])('%j is answered by %j', async (packet, expected) => {
  expect(await client.ask(packet)).toBe(expected);
  expect(await client.ask('qC')).toMatch(/^QC/);
});
});

test('the program is read as a file, and no other', async () => {
  const { client, ended } = startDebugged('i386', 'interpreted');
  const path = (await client.ask('qXfer:exec-file:read::0,100')).slice(1);
  expect(path).toBe('/i386/debugged');
  for (const descriptor of ['0', '1'])
    expect(await client.ask(`vFile:open:${toHex(bytesOf(path))},0,0`)).toBe(`F${descriptor}`);
  expect(await client.ask('vFile:close:0')).toBe('F0');
  expect(await client.ask('vFile:pread:1,4,0')).toBe('F4;\x7fELF');
  expect(await client.ask('vFile:pread:1,4,fffffff')).toBe('F0;');
  expect(bytesOf((await client.ask('vFile:fstat:1')).slice(4)).length).toBe(64);
  expect(await client.ask('vFile:pread:0,4,0')).toBe('F-1,9');
  client.send('k');
  await ended;
});

test('monitor commands print, and unknown ones say what there is', async () => {
  const { client, ended } = startDebugged('powerpc', 'regions');
  const monitor = async (command: string): Promise<string> => {
    let text = '';
    for (
      let reply = await client.ask(`qRcmd,${toHex(bytesOf(command))}`);
      reply !== 'OK';
      reply = await client.reply()
    ) {
      expect(reply).toMatch(/^O/);
      text += textOf(fromHex(reply.slice(1)) as Uint8Array);
    }
    return text;
  };
  expect(await monitor('help')).toMatch(/^monitor help .*\nmonitor calls /);
  expect(await monitor('maps')).toMatch(/^10000000-\d+ r-x debugged\n/);
  expect(await monitor('engine')).toBe('regions\n');
  expect(await monitor('calls')).toBe('');
  expect(await client.ask('QPassSignals:1e')).toBe('OK');
  expect(await monitor('nothing')).toBe('There is no command "nothing". "monitor help" lists them.\n');
  client.send('k');
  await ended;
});

test('hostile packets are answered, whatever they make of the guest', async () => {
  // biome-ignore format: two lines
  const beginnings = ['m', 'M', 'X', 'x', 'p', 'P', 'Z', 'z', 'q', 'v', 'Q', 'H', 'T', 'qXfer:', 'qRcmd,', 'vFile:', 'vCont;', 'Z0,', 'Z2,',
    'vFile:open:', 'vFile:pread:', 'QPassSignals:', 'qSupported:', 'Z0,401000,1;X'];
  const rest = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.stringMatching(/^[0-9a-f,;:X]{0,30}$/).map(bytesOf));
  let run = startDebugged('x86-64', 'interpreted');
  for (const [beginning, bytes] of fc.sample(fc.tuple(fc.constantFrom(...beginnings), rest), 500)) {
    run.client.send(Uint8Array.of(...bytesOf(beginning), ...bytes));
    expect(await Promise.race([run.client.reply(), run.ended.then(() => 'end')])).toEqual(expect.any(String));
    if (run.client.closed) run = startDebugged('x86-64', 'interpreted');
  }
  run.client.send('k');
  await run.ended;
});
