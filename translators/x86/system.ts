/** Flags and segments, time and identification, interrupts and system calls, hints, and what is privileged. */
import { op } from '../ir/builder.ts';
import { OF, readCarry, readFlags, setCarry, setZero } from './flags.ts';
import type { Lift, Row } from './instruction.ts';
import type { Lifter } from './lift.ts';
import { cs, ds, es, fs, gs, rax, rcx, ss } from './registers.ts';

const nothing: Lift = () => {};

/** Caches are not seen, but the line must be readable. */
const flushLine: Lift = (l) => {
  l.address();
  l.b.check(l.base, l.offset, 1, 1);
};

// -- flags

const clc: Lift = (l) => setCarry(l, l.b.constant(0));
const stc: Lift = (l) => setCarry(l, l.b.constant(1));
const cmc: Lift = (l) => setCarry(l, l.b.eqz(readCarry(l)));
const cld: Lift = (l) => l.b.set(l.registers.direction, l.b.constant(0));
const std: Lift = (l) => l.b.set(l.registers.direction, l.b.constant(-1));

/** salc, which the manual does not have: AL is all ones where CF is set. */
const salc: Lift = (l) => l.setGeneral(rax, 1, l.b.sub(l.b.constant(0), readCarry(l)));

// -- segments

/** Loads segment register `segment` with a selector: a general protection fault unless programs may. */
function loadSegment(l: Lifter, segment: number, selector: number): void {
  l.helper('loadSegment', l.b.constant(segment), selector);
}

const readSegment: Lift = (l) => {
  const selector = l.read(1);
  if (l.inMemory(0)) {
    l.address();
    l.storeSize(2, 0, selector);
  } else l.write(0, l.bit(l.size(0), selector));
};

const writeSegment: Lift = (l) => {
  const { reg } = l.i;
  if (reg === cs || reg > gs) l.fault('illegal');
  else loadSegment(l, reg, l.b.and(l.read(1), l.b.constant(0xffff)));
};

/** les, lds, lss, lfs, lgs: a pointer with its selector behind it. */
function loadPointer(segment: number): Lift {
  return (l) => {
    const size = l.i.operandSize;
    l.address();
    const offset = l.loadSize(size);
    const selector = l.loadSize(2, size);
    loadSegment(l, segment, selector);
    l.setGeneral(l.i.reg, size, offset);
  };
}

/** arpl: the requested privilege level of operand 0 becomes at least that of operand 1. */
const arpl: Lift = (l) => {
  const { b } = l;
  const x = l.read(0);
  const level = b.and(l.read(1), b.constant(3));
  const lower = b.ltU(b.and(x, b.constant(3)), level);
  l.write(0, b.select(lower, b.or(b.and(x, b.constant(0xfffc)), level), x));
  setZero(l, lower);
};

/** bound: operand 0 must lie between the two signed numbers in memory. */
const bound: Lift = (l) => {
  const { b } = l;
  const size = l.i.operandSize;
  const index = l.readSigned(0);
  l.address();
  const lower = l.signed(l.loadSize(size), size);
  const upper = l.signed(l.loadSize(size, size), size);
  l.leaveIf(b.or(b.ltS(index, lower), b.gtS(index, upper)), 'bound');
};

// -- time and identification

const cpuid: Lift = (l) => {
  l.helper('cpuid');
};

const rdtsc: Lift = (l) => {
  l.helper('rdtsc');
};

/** With the number of the processor, which is 0. */
const rdtscp: Lift = (l) => {
  l.helper('rdtsc');
  l.setGeneral(rcx, 4, l.b.constant(0));
};

/** crc32: the polynomial of iSCSI, over the source's bytes from the lowest on. */
const crc32: Lift = (l) => {
  const { b } = l;
  const size = l.size(1);
  const source = l.read(1);
  const start = l.general(l.i.reg, 4);
  let sum: number;
  if (size < 8) sum = l.helper('crc32', start, source, b.constant(size));
  else {
    const four = b.constant(4);
    const half = l.helper('crc32', start, b.unary(op['i64.low'], source), four);
    sum = l.helper('crc32', half, b.unary(op['i64.high'], source), four);
  }
  l.setGeneral(l.i.reg, 4, sum);
};

// -- interrupts and system calls. Details of exits that are traps: the address of the next instruction.

const int3: Lift = (l) => l.fault('breakpoint', l.i.next);

/** 3 and 4 are what int3 and into do; 0x80 is Linux's. From 64-bit code that one has the numbers of 32-bit programs. */
const int: Lift = (l) => {
  const number = l.i.immediate & 0xff;
  if (number === 3) l.fault('breakpoint', l.i.next);
  else if (number === 4) l.fault('overflow', l.i.next);
  else if (number !== 0x80) l.fault('protection', number * 8 + 2);
  else if (l.is64) l.fault('software_interrupt', l.i.next);
  else l.b.systemCall(l.i.next);
};

const into: Lift = (l) => {
  l.leaveIf(l.b.and(readFlags(l), l.b.constant(OF)), 'overflow', l.i.next);
};

const r11 = 11;

/** syscall: the processor keeps the return address and the flags in RCX and R11. */
const syscall: Lift = (l) => {
  const { b, i } = l;
  b.set(rcx, b.constant64(i.next, 0));
  b.set(r11, l.widen(readFlags(l)));
  b.systemCall(i.next);
};

const undefinedInstruction: Lift = (l) => l.fault('illegal');
const privileged: Lift = (l) => l.fault('protection');

/** In user mode with UMIP the tables of descriptors are not shown. */
const hidden = privileged;

// biome-ignore format: one row per line
export const systemRows: readonly Row[] = [
  ['62 /r',       'bound',     'Gv,Ma',  'i64',      bound],
  ['63 /r',       'arpl',      'Ew,Gw',  'i64',      arpl],
  ['8C /r',       'mov',       'Ev,Sw',  '',         readSegment],
  ['8E /r',       'mov',       'Sw,Ew',  '',         writeSegment],
  ['C4 /r',       'les',       'Gv,Mp',  'i64',      loadPointer(es)],
  ['C5 /r',       'lds',       'Gv,Mp',  'i64',      loadPointer(ds)],
  ['CC',          'int3',      '',       '',         int3],
  ['CD',          'int',       'Ib',     '',     int],
  ['CE',          'into',      '',       'i64',      into],
  ['D6',          'salc',      '',       'i64',      salc],
  ['E4',          'in',        'AL,Ib',  '',     privileged],
  ['E5',          'in',        'eAX,Ib', '',     privileged],
  ['E6',          'out',       'Ib,AL',  '',     privileged],
  ['E7',          'out',       'Ib,eAX', '',     privileged],
  ['EC',          'in',        'AL,DX',  '',         privileged],
  ['ED',          'in',        'eAX,DX', '',         privileged],
  ['EE',          'out',       'DX,AL',  '',         privileged],
  ['EF',          'out',       'DX,eAX', '',         privileged],
  ['F1',          'int1',      '',       '',         int3],
  ['F4',          'hlt',       '',       '',         privileged],
  ['F5',          'cmc',       '',       '',         cmc],
  ['F8',          'clc',       '',       '',         clc],
  ['F9',          'stc',       '',       '',         stc],
  ['FA',          'cli',       '',       '',         privileged],
  ['FB',          'sti',       '',       '',         privileged],
  ['FC',          'cld',       '',       '',         cld],
  ['FD',          'std',       '',       '',         std],
  ['0F 00 /0',    'sldt',      'Ew',     '',         hidden],
  ['0F 00 /1',    'str',       'Ew',     '',         hidden],
  ['0F 00 /2',    'lldt',      'Ew',     '',         privileged],
  ['0F 00 /3',    'ltr',       'Ew',     '',         privileged],
  ['0F 01 /0',    'sgdt',      'Ms',     '',         hidden],
  ['0F 01 /1',    'sidt',      'Ms',     '',         hidden],
  ['0F 01 /2',    'lgdt',      'Ms',     '',         privileged],
  ['0F 01 /3',    'lidt',      'Ms',     '',         privileged],
  ['0F 01 /4',    'smsw',      'Ew',     '',         hidden],
  ['0F 01 /6',    'lmsw',      'Ew',     '',         privileged],
  ['0F 01 /7',    'invlpg',    'Mb',     '',         privileged],
  ['0F 01 =F9',   'rdtscp',    '',       'rdtscp',   rdtscp],
  ['0F 05',       'syscall',   '',       'o64 syscall', syscall],
  ['0F 06',       'clts',      '',       '',         privileged],
  ['0F 07',       'sysret',    '',       'o64',      privileged],
  ['0F 08',       'invd',      '',       '',         privileged],
  ['0F 09',       'wbinvd',    '',       '',         privileged],
  ['0F 0B',       'ud2',       '',       '',         undefinedInstruction],
  ['0F 0D /0',    'prefetch',  'Mb',     'prefetchw', nothing],
  ['0F 0D /1',    'prefetchw', 'Mb',     'prefetchw', nothing],
  ['0F 0D /2',    'prefetchwt1', 'Mb',   'prefetchw', nothing],
  ['0F 0D /3',    'prefetch',  'Mb',     'prefetchw', nothing],
  ['0F 0D /4',    'prefetch',  'Mb',     'prefetchw', nothing],
  ['0F 0D /5',    'prefetch',  'Mb',     'prefetchw', nothing],
  ['0F 0D /6',    'prefetch',  'Mb',     'prefetchw', nothing],
  ['0F 0D /7',    'prefetch',  'Mb',     'prefetchw', nothing],
  ['0F 18 /0',    'prefetchnta', 'Mb',   'sse',      nothing],
  ['0F 18 /1',    'prefetcht0', 'Mb',    'sse',      nothing],
  ['0F 18 /2',    'prefetcht1', 'Mb',    'sse',      nothing],
  ['0F 18 /3',    'prefetcht2', 'Mb',    'sse',      nothing],
  ['0F 18 /0 reg', 'nop',      'Ev',     '',         nothing],
  ['0F 18 /1 reg', 'nop',      'Ev',     '',         nothing],
  ['0F 18 /2 reg', 'nop',      'Ev',     '',         nothing],
  ['0F 18 /3 reg', 'nop',      'Ev',     '',         nothing],
  ['0F 18 /4',    'nop',       'Ev',     '',         nothing],
  ['0F 18 /5',    'nop',       'Ev',     '',         nothing],
  ['0F 18 /6',    'nop',       'Ev',     '',         nothing],
  ['0F 18 /7',    'nop',       'Ev',     '',         nothing],
  ['0F 19 /r',    'nop',       'Ev',     '',         nothing],
  ['0F 1A /r',    'nop',       'Ev',     '',         nothing],
  ['0F 1B /r',    'nop',       'Ev',     '',         nothing],
  ['0F 1C /r',    'nop',       'Ev',     '',         nothing],
  ['0F 1D /r',    'nop',       'Ev',     '',         nothing],
  ['0F 1E /r',    'nop',       'Ev',     '',         nothing],
  ['F3 0F 1E =FA', 'endbr64',  '',       '',         nothing],
  ['F3 0F 1E =FB', 'endbr32',  '',       '',         nothing],
  ['0F 1F /r',    'nop',       'Ev',     '',         nothing],
  ['0F 20 /r',    'mov',       'Rd,Cd',  'i64',      privileged],
  ['0F 20 /r',    'mov',       'Rq,Cq',  'o64',      privileged],
  ['0F 21 /r',    'mov',       'Rd,Dd',  'i64',      privileged],
  ['0F 21 /r',    'mov',       'Rq,Dq',  'o64',      privileged],
  ['0F 22 /r',    'mov',       'Cd,Rd',  'i64',      privileged],
  ['0F 22 /r',    'mov',       'Cq,Rq',  'o64',      privileged],
  ['0F 23 /r',    'mov',       'Dd,Rd',  'i64',      privileged],
  ['0F 23 /r',    'mov',       'Dq,Rq',  'o64',      privileged],
  ['0F 30',       'wrmsr',     '',       '',         privileged],
  ['0F 31',       'rdtsc',     '',       '',         rdtsc],
  ['0F 32',       'rdmsr',     '',       '',         privileged],
  ['0F 33',       'rdpmc',     '',       '',         privileged],
  ['0F 35',       'sysexit',   '',       '',         privileged],
  ['0F A2',       'cpuid',     '',       '',         cpuid],
  ['0F AA',       'rsm',       '',       '',         undefinedInstruction],
  ['NP 0F AE /5 reg', 'lfence', '',      'sse2',     nothing],
  ['NP 0F AE /6 reg', 'mfence', '',      'sse2',     nothing],
  ['NP 0F AE /7 reg', 'sfence', '',      'sse',      nothing],
  ['NP 0F AE /7 mem', 'clflush', 'Mb',   'clflush',  flushLine],
  ['0F B2 /r',    'lss',       'Gv,Mp',  '',         loadPointer(ss)],
  ['0F B4 /r',    'lfs',       'Gv,Mp',  '',         loadPointer(fs)],
  ['0F B5 /r',    'lgs',       'Gv,Mp',  '',         loadPointer(gs)],
  ['0F B9 /r',    'ud1',       'Gv,Ev',  '',         undefinedInstruction],
  ['0F FF /r',    'ud0',       'Gv,Ev',  '',         undefinedInstruction],
  ['F2 0F 38 F0 /r', 'crc32',  'Gy,Eb',  'sse4_2',   crc32],
  ['F2 0F 38 F1 /r', 'crc32',  'Gy,Ev',  'sse4_2',   crc32],
];
