/** Random programs on qemu-ppc: as static ELF files that load all registers, run, and write registers and memory. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildElf } from '../elf/build-elf.ts';
import {
  Assembler,
  addImmediate,
  immediateForm,
  indexedForm,
  loadWord,
  moveFromSpecial,
  moveToSpecial,
  special,
  storeWord,
  systemCall,
} from './assembler.ts';
import {
  codeAddress,
  dataAddress,
  floatingCount,
  readOnlyAddress,
  register,
  stackAddress,
  stackSize,
} from './layout.ts';
import { bytesOf, type FuzzMachine, registerPlaces } from './machine.ts';
import type { Program } from './programs.ts';

/** Within reach of a branch from the program's code. */
const harnessAddress = 0x11000000;
const tableAddress = 0x12000000;
/** Places in the table of registers, in bytes: r0 to r31, CR, XER, LR, CTR, then floating-point registers. */
const place = { cr: 128, xer: 132, lr: 136, ctr: 140, float: 144 } as const;
const tableSize = place.float + 8 * floatingCount;

/** The base of the table once the program has ended: it is zero all the time, and not compared. */
const base = register.zero;
/** Registers that belong to the ABI, or are the base: not loaded and not compared. */
const left = new Set([2, 13, base]);
const compared = Array.from({ length: 32 }, (_, number) => number).filter((number) => !left.has(number));

const specials = [special.xer, special.lr, special.ctr] as const;
const specialPlace = (number: number): number => ({ 1: place.xer, 8: place.lr, 9: place.ctr })[number] as number;

/** Writes `length` bytes of memory to standard output. */
function emitWrite(assembler: Assembler, address: number, length: number): void {
  assembler.emit(addImmediate(0, 0, 4), addImmediate(3, 0, 1));
  assembler.constant(4, address);
  assembler.constant(5, length);
  assembler.emit(systemCall);
}

function harness(): { words: number[]; end: number } {
  const assembler = new Assembler(harnessAddress);
  assembler.constant(base, tableAddress);
  for (let i = 0; i < floatingCount; i++) assembler.emit(immediateForm(50, i, base, place.float + 8 * i));
  assembler.emit(loadWord(0, place.cr, base), 0x7c0ff120); // mtcrf 255,r0
  for (const number of specials) assembler.emit(loadWord(0, specialPlace(number), base), moveToSpecial(number, 0));
  for (const number of compared) assembler.emit(loadWord(number, 4 * number, base));
  assembler.emit(addImmediate(base, 0, 0));
  assembler.emit((0x48000000 | ((codeAddress - harnessAddress - 4 * assembler.words.length) & 0x03fffffc)) >>> 0);
  const end = harnessAddress + 4 * assembler.words.length;
  assembler.constant(base, tableAddress);
  for (const number of compared) assembler.emit(storeWord(number, 4 * number, base));
  assembler.emit(indexedForm(0, 0, 0, 19), storeWord(0, place.cr, base)); // mfcr r0
  for (const number of specials) assembler.emit(moveFromSpecial(0, number), storeWord(0, specialPlace(number), base));
  for (let i = 0; i < floatingCount; i++) assembler.emit(immediateForm(54, i, base, place.float + 8 * i));
  emitWrite(assembler, tableAddress, tableSize);
  emitWrite(assembler, dataAddress, readOnlyAddress - dataAddress);
  emitWrite(assembler, stackAddress, stackSize);
  assembler.emit(addImmediate(0, 0, 1), addImmediate(3, 0, 0), systemCall);
  return { words: assembler.finish(), end };
}

/** The registers' words as the table holds them. */
function tableOf(registers: Int32Array): Uint8Array {
  const table = new DataView(new ArrayBuffer(tableSize));
  const word = (name: string): number => registers[registerPlaces.find((each) => each.name === name)!.at];
  for (const number of compared) table.setInt32(4 * number, word(`r${number}`));
  let cr = 0;
  for (const { name, at } of registerPlaces) if (/^cr\d/.test(name)) cr = (cr << 1) | registers[at];
  table.setInt32(place.cr, cr);
  table.setInt32(
    place.xer,
    (word('xer.so') << 31) | (word('xer.ov') << 30) | (word('xer.ca') << 29) | word('xer.count'),
  );
  table.setInt32(place.lr, word('lr'));
  table.setInt32(place.ctr, word('ctr'));
  for (let i = 0; i < floatingCount; i++) {
    const { at } = registerPlaces.find(({ name }) => name === `f${i}`)!;
    table.setInt32(place.float + 8 * i, registers[at + 1]);
    table.setInt32(place.float + 8 * i + 4, registers[at]);
  }
  return new Uint8Array(table.buffer);
}

const names = (at: number): string => {
  if (at < place.cr) return `r${at >> 2}`;
  if (at < place.float) return ['cr', 'xer', 'lr', 'ctr'][(at - place.cr) >> 2];
  return at < tableSize ? `f${(at - place.float) >> 3}` : `memory, byte ${at - tableSize}`;
};

export class QemuRunner {
  private readonly directory = mkdtempSync(join(tmpdir(), 'stele-qemu-'));

  static get available(): boolean {
    return spawnSync('qemu-ppc', ['--version']).status === 0;
  }

  /** Runs one round of a program here and on QEMU. @returns what differs */
  compare(machine: FuzzMachine, program: Program): string[] {
    const once = { ...program, rounds: 1 };
    const { segments, state } = machine.initial(once);
    const [first, last] = [16, 16 + registerPlaces[registerPlaces.length - 1].at + 2];
    const table = tableOf(state.i32.slice(first, last));
    const { words, end } = harness();
    const [code, ...others] = segments;
    // The end of a program is li r0,0; sc, and maybe a branch back: there QEMU goes on in the harness.
    const at = program.words.lastIndexOf(0x38000000);
    new DataView(code.bytes.buffer).setUint32(4 * at, 0x48000000 | ((end - codeAddress - 4 * at) & 0x03fffffc));
    const flags = { code: 5, data: 6 };
    const file = join(this.directory, 'program');
    const elf = buildElf({
      entry: harnessAddress,
      segments: [
        { ...code, flags: flags.code },
        { address: harnessAddress, bytes: bytesOf(words), flags: flags.code },
        { address: tableAddress, bytes: table, flags: flags.data },
        ...others.map((segment) => ({ ...segment, flags: flags.data })),
      ],
    });
    writeFileSync(file, elf, { mode: 0o755 });
    const ran = spawnSync('qemu-ppc', ['-cpu', '7400', file], { maxBuffer: 1 << 24, timeout: 20_000 });
    if (ran.status !== 0) return [`qemu-ppc ended with ${ran.status ?? ran.signal}: ${ran.stderr}`];
    const outcome = machine.run(once, 'interpreted');
    const stop = outcome.stops[outcome.stops.length - 1];
    if (outcome.stops.length !== 1 || stop.reason !== 'none') return [`the interpreter stopped for ${stop?.reason}`];
    const data = outcome.memory.subarray(0, readOnlyAddress - dataAddress);
    const stackAt = readOnlyAddress - dataAddress + 0x2000;
    const mine = Buffer.concat([
      // r0 holds the number of the system call here.
      tableOf(stop.registers),
      data,
      outcome.memory.subarray(stackAt, stackAt + stackSize),
    ]);
    const found: string[] = [];
    for (let i = 4; i < mine.length && found.length < 8; i += 4) {
      const [a, b] = [mine.readUInt32BE(i), ran.stdout.readUInt32BE(i)];
      if (a !== b) found.push(`${names(i)} is ${a.toString(16)}, on qemu-ppc ${b.toString(16)}`);
    }
    return found;
  }

  close(): void {
    rmSync(this.directory, { recursive: true });
  }
}
