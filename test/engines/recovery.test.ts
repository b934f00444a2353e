/**
 * Programs that survive SIGSEGV in hot code, on every engine, with the host's page protection and without: one repairs the
 * page in the handler and returns, one leaves the handler by a jump, as siglongjmp does. The handler writes down the
 * registers of its context, those among them that the program does not read again.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createGuest } from '../../src/cli/guest.ts';
import { NodeFiles } from '../../src/host/node-files.ts';
import { findHostPages } from '../../src/host/page-protection.ts';
import { runThread } from '../../src/linux/run.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { buildElf } from '../elf/build-elf.ts';
import {
  Assembler,
  addImmediate,
  compareImmediate,
  immediateForm,
  indexedForm,
  loadWord,
  moveToSpecial,
  returnToLink,
  special,
  storeWord,
  systemCall,
} from '../fuzz/assembler.ts';
import { limitedEngine, meaningOf, type Way, ways } from '../fuzz/hostile-guest.ts';
import { bytesOf } from '../fuzz/machine.ts';
import { StillSystem } from '../linux/process-guest.ts';
import { qemuVersion } from '../programs/run-guest.ts';

const isProtected = new AddressSpace('big', findHostPages).enableHostProtection();
if (!isProtected) console.info('Not tested: recovery where accesses trap (no page protection on this host)');
const hasQemu = qemuVersion() !== undefined;
if (!hasQemu) console.info('Not compared with QEMU (no qemu-ppc): registers in the context of SIGSEGV');

const code = 0x10000000;
/** A page that is accessible, and one behind it that is not at first. */
const data = 0x20000000;
const closed = data + 0x1000;
/** The handler's record: the address behind its end, then the contexts. */
const record = 0x28000000;
const action = record + 0x8000;

const rounds = 80;
/** Every eighth round goes to the closed page, and comes to it twice where the handler leaves it closed. */
const faults = rounds / 8;
/** Words of a context that are written down: r0 to r31 and nip; ctr, lr, xer and cr; f0 to f9. */
const pieces = [
  { from: 0, words: 33 },
  { from: 35, words: 4 },
  { from: 48, words: 20 },
] as const;
const contextWords = pieces.reduce((sum, { words }) => sum + words, 0);
const nip = 32;
const conditions = 36;

const calls = { exit: 1, write: 4, mprotect: 125, rt_sigaction: 173, rt_sigprocmask: 174 } as const;
const call = (number: number): number[] => [addImmediate(0, 0, number), systemCall];

const kinds = ['load', 'store', 'float', 'update'] as const;
type Kind = (typeof kinds)[number];
const access: Readonly<Record<Kind, number>> = {
  load: loadWord(6, 8, 5),
  store: storeWord(8, 8, 5),
  // lfd f2,8(r5); lwzu r6,8(r5)
  float: immediateForm(50, 2, 5, 8),
  update: immediateForm(33, 6, 5, 8),
};

interface Program {
  readonly file: Uint8Array;
  /** Address of the access that faults. */
  readonly place: number;
}

function program(kind: Kind, ending: 'return' | 'jump'): Program {
  const a = new Assembler(code);
  const [loop, handler, recovered, open, place] = [a.label(), a.label(), a.label(), a.label(), a.label()];
  a.constant(9, record);
  a.emit(addImmediate(10, 9, 16), storeWord(10, 0, 9));
  a.emit(addImmediate(3, 0, 11));
  a.constant(4, action);
  a.emit(addImmediate(5, 0, 0), addImmediate(6, 0, 8), ...call(calls.rt_sigaction));
  a.constant(15, data);
  // Some QEMUs refuse a segment that nothing may access, so it is closed here.
  a.constant(3, closed);
  a.emit(addImmediate(4, 0, 0x1000), addImmediate(5, 0, 0), ...call(calls.mprotect));
  a.emit(addImmediate(20, 0, rounds), addImmediate(25, 1, 0));
  for (let i = 0; i < 10; i++) a.emit(immediateForm(50, i, 15, 8 * i));
  a.place(loop);
  // r9 = 4096 every eighth round, else 0: andi. r9,r20,7; cntlzw r9,r9; rlwinm r9,r9,7,19,19
  a.emit(0x72890007, indexedForm(9, 9, 0, 26), 0x55293ce6 | 0, indexedForm(5, 15, 9, 266));
  // Nothing reads these again unless the access faults: r7, r11, cr1, cr6, xer.ca, f3, ctr.
  a.emit(
    addImmediate(7, 20, 100),
    immediateForm(15, 11, 20, 77),
    compareImmediate(1, 20, 33),
    compareImmediate(6, 20, 5),
  );
  a.emit(immediateForm(12, 26, 20, -40), 0xfc61082a, moveToSpecial(special.ctr, 7), addImmediate(8, 20, 7));
  a.place(place);
  a.emit(access[kind]);
  a.place(recovered);
  // addic r26,r20,1; fmr f3,f1
  a.emit(addImmediate(7, 20, 1), addImmediate(11, 20, 2), compareImmediate(1, 7, 0), compareImmediate(6, 7, 1));
  a.emit(immediateForm(12, 26, 20, 1), 0xfc600890, moveToSpecial(special.ctr, 20));
  a.emit(compareImmediate(0, 9, 0));
  a.branchIf(12, 2, open);
  // Closed again.
  a.constant(3, closed);
  a.emit(addImmediate(4, 0, 0x1000), addImmediate(5, 0, 0), ...call(calls.mprotect));
  a.place(open);
  a.emit(addImmediate(20, 20, -1), compareImmediate(0, 20, 0));
  a.branchIf(12, 1, loop);
  // write(1, the record, its length), exit(0)
  a.constant(9, record);
  a.emit(loadWord(10, 0, 9), addImmediate(4, 9, 16), indexedForm(5, 4, 10, 40), addImmediate(3, 0, 1));
  a.emit(...call(calls.write), addImmediate(3, 0, 0), ...call(calls.exit));
  a.place(handler);
  a.constant(9, record);
  a.emit(loadWord(10, 0, 9), addImmediate(10, 10, -4), loadWord(8, 48, 5));
  for (const { from, words } of pieces) {
    const copy = a.label();
    a.emit(addImmediate(7, 8, 4 * from - 4), addImmediate(6, 0, words), moveToSpecial(special.ctr, 6));
    a.place(copy);
    // lwzu r6,4(r7); stwu r6,4(r10)
    a.emit(immediateForm(33, 6, 7, 4), immediateForm(37, 6, 10, 4));
    a.branchIf(16, 0, copy);
  }
  a.emit(addImmediate(10, 10, 4), storeWord(10, 0, 9));
  if (ending === 'return') {
    a.constant(3, closed);
    a.emit(addImmediate(4, 0, 0x1000), addImmediate(5, 0, 3), ...call(calls.mprotect), returnToLink);
  } else {
    // The handler's frame stays behind, and so would its mask: SIG_SETMASK of nothing.
    a.emit(addImmediate(1, 25, 0), addImmediate(3, 0, 2));
    a.constant(4, action + 0x20);
    a.emit(addImmediate(5, 0, 0), addImmediate(6, 0, 8), ...call(calls.rt_sigprocmask));
    a.constant(9, 0x1000);
    a.emit(moveToSpecial(special.lr, 20));
    a.branch(recovered);
  }
  const words = a.finish();
  const actionWords = [a.addressOf(handler), 4, 0, 0, 0];
  const numbers = new DataView(new ArrayBuffer(0x100));
  for (let i = 0; i < 32; i++) numbers.setFloat64(8 * i, 1.5 * i + 0.25);
  const file = buildElf({
    entry: code,
    segments: [
      { address: code, bytes: bytesOf(words), flags: 5 },
      { address: data, bytes: new Uint8Array(numbers.buffer), memorySize: 0x1000, flags: 6 },
      { address: closed, bytes: new Uint8Array(0x1000), flags: 4 },
      { address: record, bytes: new Uint8Array(4), memorySize: 0x8000, flags: 6 },
      { address: action, bytes: bytesOf([...actionWords, ...new Array(16).fill(0)]), flags: 4 },
    ],
  });
  return { file, place: a.addressOf(place) };
}

/** Keeps what the guest writes. */
class KeptOutput extends NodeFiles {
  readonly chunks: Uint8Array[] = [];
  override write(_descriptor: number, bytes: Uint8Array): number {
    this.chunks.push(bytes.slice());
    return bytes.length;
  }
}

async function run(file: Uint8Array, way: Way) {
  const { name, checked } = meaningOf(way);
  const files = new KeptOutput();
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const guest = createGuest({
    file,
    path: encode('program'),
    arguments: [encode('program')],
    environment: [],
    system: new StillSystem(),
    fileHost: files,
    stackLimit: 1 << 20,
    findHostPages: checked ? undefined : findHostPages,
    engine: 'interpreted',
    measure: false,
  });
  const limits = {
    threshold: 3,
    regionLimit: 600,
    blockLimit: 128,
    depthLimit: 4500,
    loopBudget: 10,
    tableEntries: 4096,
  };
  const engine = limitedEngine(name, guest, limits);
  const status = await runThread(guest.thread, engine);
  return { status, record: Buffer.concat(files.chunks), regions: engine.statistics.regions, memory: guest.memory };
}

function onQemu(file: Uint8Array): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'stele-recovery-'));
  try {
    const path = join(directory, 'program');
    writeFileSync(path, file, { mode: 0o755 });
    const { status, stdout, stderr } = spawnSync('qemu-ppc', [path], { timeout: 20_000 });
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' });
    return stdout;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The words of a record without r1 and r25, which tell where the host's stack lies, and what startup left in registers. */
function contexts(found: Buffer): number[][] {
  expect(found.length).toBe(faults * contextWords * 4);
  return Array.from({ length: faults }, (_, i) =>
    Array.from({ length: contextWords }, (_, word) => found.readUInt32BE(4 * (i * contextWords + word))).map(
      (value, word) => (word === 1 || word === 25 ? 0 : value),
    ),
  );
}

describe.each(['return', 'jump'] as const)('a handler that ends by a %s', (ending) => {
  describe.each(kinds)('after a fault of the kind "%s"', (kind) => {
    const { file, place } = program(kind, ending);

    test.each(ways)('sees exact registers: %s', async (way) => {
      const { status, record: found, regions, memory } = await run(file, way);
      expect(status).toEqual({ kind: 'exit', code: 0 });
      expect(regions > 0).toBe(way !== 'interpreted');
      const traps = isProtected && (way === 'wasm' || way === 'auto');
      expect(memory.hostProtection === 'on').toBe(traps);
      const seen = contexts(found);
      seen.forEach((words, i) => {
        const round = rounds - 8 * i;
        const flags = (value: number): number => (value < 0 ? 8 : value > 0 ? 4 : 2);
        expect(words[nip]).toBe(place);
        expect([words[5], words[7], words[8], words[11], words[20]]).toEqual([
          closed,
          round + 100,
          round + 7,
          round + 77 * 0x10000,
          round,
        ]);
        expect((words[conditions] >>> 24) & 15).toBe(flags(round - 33));
        expect((words[conditions] >>> 4) & 15).toBe(flags(round - 5));
      });
      expect(seen).toEqual(contexts((await run(file, 'interpreted')).record));
    });

    test.runIf(hasQemu)('sees what it sees on qemu-ppc', async () => {
      expect(contexts((await run(file, 'interpreted')).record)).toEqual(contexts(onQemu(file)));
    });
  });
});
