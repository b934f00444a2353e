/**
 * Random sequences of instructions on the interpreter and on qemu-ppc: all registers and memory equal.
 * A program reads register values and code, runs the code between loads and stores of all registers, and writes the outcome.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { disassemble } from '../../translators/powerpc/disassemble.ts';
import { generator, seed } from '../float/cases.ts';
import { codeAddress, dataAddress, Guest } from './guest.ts';
import { randomCode, randomData, randomRegisters } from './random-code.ts';

const sequences = 1500;
const longest = 16;

/** r1 holds the stack, and r2 and r13 belong to the ABI. */
const saved = Array.from({ length: 32 }, (_, number) => number).filter((number) => ![1, 2, 13].includes(number));
const specials = [
  ['cr', 128, 'mfcr 0', 'mtcrf 255,0'],
  ['xer', 132, 'mfxer 0', 'mtxer 0'],
  ['lr', 136, 'mflr 0', 'mtlr 0'],
  ['ctr', 140, 'mfctr 0', 'mtctr 0'],
] as const;
const floatsAt = 144;
/** Bytes of the registers in a record, of the input with its code, and of the output with the data. */
const registerBytes = floatsAt + 32 * 8;
const inputBytes = registerBytes + longest * 4;
const outputBytes = registerBytes + randomData.length;

const assembly = `
  .text
  .globl template, slot, template_end
template:
  mflr 0; stwu 1,-256(1); stw 0,260(1); stmw 13,16(1); mfcr 0; stw 0,12(1)
  lis 31,state@ha; la 31,state@l(31)
  ${Array.from({ length: 32 }, (_, i) => `lfd ${i},${floatsAt + 8 * i}(31)`).join('; ')}
  ${specials.map(([, at, , write]) => `lwz 0,${at}(31); ${write}`).join('; ')}
  ${saved.map((i) => `lwz ${i},${4 * i}(31)`).join('; ')}
slot:
  .space ${4 * longest}
  stw 31,8(1); lis 31,state@ha; la 31,state@l(31)
  ${saved
    .filter((i) => i !== 31)
    .map((i) => `stw ${i},${4 * i}(31)`)
    .join('; ')}
  lwz 0,8(1); stw 0,124(31)
  ${specials.map(([, at, read]) => `${read}; stw 0,${at}(31)`).join('; ')}
  ${Array.from({ length: 32 }, (_, i) => `stfd ${i},${floatsAt + 8 * i}(31)`).join('; ')}
  lis 4,zero@ha; lfd 0,zero@l(4); mtfsf 255,0
  lwz 0,12(1); mtcrf 255,0; lmw 13,16(1); lwz 0,260(1); mtlr 0; addi 1,1,256; blr
template_end:
  .section .rodata
  .align 3
zero: .long 0, 0
  .section .data_page,"aw",@nobits
  .globl data_page
data_page: .space ${randomData.length}
  .section .note.GNU-stack,"",@progbits
`;

const source = `
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
unsigned state[${registerBytes / 4}] __attribute__((aligned(8)));
extern char template[], slot[], template_end[];
extern unsigned char data_page[];
static struct { unsigned registers[${registerBytes / 4}], code[${longest}]; } input;
int main(void) {
  char *code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(code, template, template_end - template);
  while (fread(&input, sizeof input, 1, stdin) == 1) {
    memcpy(state, input.registers, sizeof state);
    memcpy(code + (slot - template), input.code, sizeof input.code);
    __builtin___clear_cache(code, code + 4096);
    for (int i = 0; i < ${randomData.length}; i++) data_page[i] = i * 37 + (i >> 3) * 11;
    ((void (*)(void))code)();
    fwrite(state, sizeof state, 1, stdout);
    fwrite(data_page, ${randomData.length}, 1, stdout);
  }
  return 0;
}
`;

const compiler = 'powerpc-linux-gnu-gcc';
const present = (command: string): boolean => spawnSync(command, ['--version']).status === 0;
const available = present(compiler) && present('qemu-ppc');
const directory = available ? mkdtempSync(join(tmpdir(), 'stele-random-code-')) : '';
afterAll(() => {
  if (directory !== '') rmSync(directory, { recursive: true });
});

const nop = 0x60000000;

interface Sequence {
  readonly registers: Map<string, bigint>;
  readonly code: number[];
}

/** The registers that a record holds, with their places. */
const places: (readonly [name: string, at: number, bytes: 4 | 8])[] = [
  ...saved.map((i) => [`r${i}`, 4 * i, 4] as const),
  ...specials.map(([name, at]) => [name, at, 4] as const),
  ...Array.from({ length: 32 }, (_, i) => [`f${i}`, floatsAt + 8 * i, 8] as const),
];

function runOnQemu(all: readonly Sequence[]): Buffer {
  writeFileSync(join(directory, 'probe.c'), source);
  writeFileSync(join(directory, 'template.s'), assembly);
  const program = join(directory, 'probe');
  const files = [join(directory, 'probe.c'), join(directory, 'template.s')];
  const placed = `-Wl,--section-start=.data_page=0x${dataAddress.toString(16)}`;
  const built = spawnSync(compiler, ['-O1', '-static', '-mcpu=7400', placed, '-o', program, ...files]);
  expect(built.stderr.toString()).toBe('');
  const input = new DataView(new ArrayBuffer(all.length * inputBytes));
  all.forEach(({ registers, code }, number) => {
    for (const [name, at, bytes] of places) {
      const value = registers.get(name) ?? 0n;
      if (bytes === 8) input.setBigUint64(number * inputBytes + at, value);
      else input.setUint32(number * inputBytes + at, Number(value));
    }
    for (let i = 0; i < longest; i++) input.setUint32(number * inputBytes + registerBytes + 4 * i, code[i] ?? nop);
  });
  const ran = spawnSync('qemu-ppc', ['-cpu', '7400', program], {
    input: new Uint8Array(input.buffer),
    maxBuffer: 1 << 28,
  });
  expect(ran.stderr.toString()).toBe('');
  expect(ran.stdout.length).toBe(all.length * outputBytes);
  return ran.stdout;
}

/** What differs after a sequence. */
function differences(guest: Guest, { registers, code }: Sequence, theirs: Buffer): string[] {
  guest.reset();
  for (const [name, value] of registers) guest.set(name, value);
  guest.memory.writeBytes(dataAddress, randomData);
  const found: string[] = [];
  const reason = guest.run(code);
  if (reason !== 'none' || guest.state.pc !== codeAddress + 4 * code.length) found.push(reason);
  for (const [name, at, bytes] of places) {
    const expected = bytes === 8 ? theirs.readBigUInt64BE(at) : BigInt(theirs.readUInt32BE(at));
    const value = guest.get(name);
    if (value !== expected) found.push(`${name} ${value.toString(16)}, qemu ${expected.toString(16)}`);
  }
  if (theirs.subarray(registerBytes).compare(guest.memory.readBytes(dataAddress, randomData.length)) !== 0)
    found.push('memory');
  return found;
}

function compareWithQemu(): void {
  const next = generator(seed);
  const all = Array.from({ length: sequences }, () => ({
    registers: randomRegisters(next),
    code: randomCode(next, longest),
  }));
  const output = runOnQemu(all);
  const guest = new Guest();
  const failures: string[] = [];
  for (const exact of [true, false]) {
    guest.exact = exact;
    all.forEach((sequence, number) => {
      const found = differences(guest, sequence, output.subarray(number * outputBytes, (number + 1) * outputBytes));
      if (found.length === 0) return;
      const text = sequence.code.map((word) => disassemble(word, 0)).join('\n');
      failures.push(`exact ${exact}: ${found.join('; ')}\n${text}`);
    });
  }
  expect(failures, `SEED=${seed}`).toEqual([]);
}

if (available) {
  it('random code does what it does on qemu-ppc', { timeout: 60000 }, compareWithQemu);
} else {
  it('random code runs through', () => {
    console.log(`left out: random code against qemu-ppc (needs qemu-ppc and ${compiler})`);
    const next = generator(seed);
    const guest = new Guest();
    for (let i = 0; i < sequences; i++) {
      guest.reset();
      for (const [name, value] of randomRegisters(next)) guest.set(name, value);
      expect(guest.run(randomCode(next, longest)), `SEED=${seed}`).toBe('none');
    }
  });
}
