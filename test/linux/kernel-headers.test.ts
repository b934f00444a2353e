/**
 * Structures, constants and numbers of each ABI against the kernel's headers, where a C compiler and headers for the
 * ABI are installed: the compiler puts sizes and offsets into its assembly, so nothing has to run.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Abi, StructureName } from '../../src/linux/abi/abi.ts';
import { i386 } from '../../src/linux/abi/i386.ts';
import { powerpc } from '../../src/linux/abi/powerpc.ts';
import { x86_64 } from '../../src/linux/abi/x86-64.ts';
import { systemCalls } from '../../src/linux/table.ts';

const headers = [
  'asm/fcntl.h',
  'asm/ioctls.h',
  'asm/poll.h',
  'asm/siginfo.h',
  'asm/signal.h',
  'asm/stat.h',
  'asm/statfs.h',
  'asm/termbits.h',
  'asm/termios.h',
  'asm/unistd.h',
  'linux/eventpoll.h',
  'linux/futex.h',
  'linux/mman.h',
  'linux/openat2.h',
  'linux/resource.h',
  'linux/stat.h',
  'linux/sysinfo.h',
  'linux/times.h',
  'linux/timex.h',
  'linux/uio.h',
  'linux/utime.h',
];

/** C types of structures, and the fields that have other names there; a field that is not one there has null. */
interface CType {
  readonly type: string;
  readonly fields?: Readonly<Record<string, string | null>>;
}

const time = (name: string, unit: string) => ({
  [`${name}_sec`]: `it_${name}.tv_sec`,
  [`${name}_${unit}`]: `it_${name}.tv_${unit}`,
});
const statxTime = (name: string) => ({
  [`stx_${name}_sec`]: `stx_${name}.tv_sec`,
  [`stx_${name}_nsec`]: `stx_${name}.tv_nsec`,
  [`stx_${name}_pad`]: null,
});
const padding = {
  pad: null,
  pad0: null,
  pad2: null,
  pad3: null,
  spare: null,
  unused: null,
  unused4: null,
  unused5: null,
};

// biome-ignore format: one structure per paragraph
const types: Partial<Record<StructureName, CType>> = {
  stat: { type: 'struct stat', fields: padding },
  stat64: { type: 'struct stat64', fields: { ...padding, short_ino: '__st_ino' } },
  statx: {
    type: 'struct statx',
    fields: {
      ...statxTime('atime'), ...statxTime('btime'), ...statxTime('ctime'), ...statxTime('mtime'), spare0: null,
      stx_mnt_id: 'stx_mnt_id', spare2: null, spare3: null,
    },
  },
  statfs: { type: 'struct statfs' },
  statfs64: { type: 'struct statfs64' },
  iovec: { type: 'struct iovec' },
  pollfd: { type: 'struct pollfd' },
  timespec: { type: 'struct { __kernel_old_time_t tv_sec; long tv_nsec; }' },
  timespec64: { type: 'struct __kernel_timespec' },
  timeval: { type: 'struct timeval' },
  itimerval: {
    type: 'struct itimerval',
    fields: { ...time('interval', 'usec'), ...time('value', 'usec') },
  },
  itimerspec: {
    type: 'struct itimerspec',
    fields: { ...time('interval', 'nsec'), ...time('value', 'nsec') },
  },
  itimerspec64: {
    type: 'struct __kernel_itimerspec',
    fields: { ...time('interval', 'nsec'), ...time('value', 'nsec') },
  },
  utimbuf: { type: 'struct utimbuf' },
  timezone: { type: 'struct timezone' },
  rlimit: { type: 'struct rlimit' },
  rlimit64: { type: 'struct rlimit64' },
  flock: { type: 'struct flock' },
  flock64: { type: 'struct flock64' },
  termios: { type: 'struct termios' },
  winsize: { type: 'struct winsize' },
  epollEvent: { type: 'struct epoll_event' },
  openHow: { type: 'struct open_how' },
  rusage: {
    type: 'struct rusage',
    fields: {
      utime_sec: 'ru_utime.tv_sec', utime_usec: 'ru_utime.tv_usec', stime_sec: 'ru_stime.tv_sec',
      stime_usec: 'ru_stime.tv_usec', maxrss: 'ru_maxrss', ixrss: 'ru_ixrss', idrss: 'ru_idrss', isrss: 'ru_isrss',
      minflt: 'ru_minflt', majflt: 'ru_majflt', nswap: 'ru_nswap', inblock: 'ru_inblock', oublock: 'ru_oublock',
      msgsnd: 'ru_msgsnd', msgrcv: 'ru_msgrcv', nsignals: 'ru_nsignals', nvcsw: 'ru_nvcsw', nivcsw: 'ru_nivcsw',
    },
  },
  tms: { type: 'struct tms', fields: { utime: 'tms_utime', stime: 'tms_stime', cutime: 'tms_cutime', cstime: 'tms_cstime' } },
  timex: { type: 'struct timex', fields: { ...padding, time_sec: 'time.tv_sec', time_usec: 'time.tv_usec' } },
  sysinfo: { type: 'struct sysinfo', fields: { ...padding, reserved: null } },
  sigevent: { type: 'struct sigevent', fields: { sigev_notify_thread_id: '_sigev_un._tid' } },
  signalStack: { type: 'stack_t' },
  robustList: { type: 'struct robust_list_head' },
};

/** Structures of which only the beginning is read. */
const open: ReadonlySet<string> = new Set(['sigevent']);

interface Guest {
  readonly abi: Abi;
  /** Commands that compile for it, the first that is installed counting. */
  readonly compilers: readonly (readonly string[])[];
  /** Structures that the ABI's headers do not have. */
  readonly without?: readonly StructureName[];
  readonly prefix?: string;
}

const guests: readonly Guest[] = [
  { abi: powerpc, compilers: [['powerpc-linux-gnu-gcc']] },
  { abi: i386, compilers: [['i686-linux-gnu-gcc'], ['gcc', '-m32']] },
  {
    abi: x86_64,
    compilers: [['x86_64-linux-gnu-gcc'], ['gcc', '-m64']],
    // A 64-bit program has stat and flock, which are as wide.
    without: ['stat64', 'flock64', 'statfs64'],
  },
];

/** What constants of an ABI are called in C. @param values by the names that the ABI's tables have */
const constants = ({ abi }: Guest): [string, number][] => {
  const { input, output, control, local, characters } = abi.termios;
  return [
    ...Object.entries(abi.open).map(([name, value]): [string, number] => [`O_${name}`, value]),
    ...Object.entries(abi.map).map(([name, value]): [string, number] => [`MAP_${name}`, value]),
    ...Object.entries(abi.ioctls),
    ...[input, output, control, local, characters].flatMap((table) => Object.entries(table)),
  ];
};
/** Not in the headers that programs see: the kernel's own, or glibc's. */
const notInHeaders = new Set(['O_ASYNC', 'MAP_SHARED_VALIDATE', 'O_TMPFILE']);

/** The compiler's answers to constant expressions in C; undefined where one does not exist. */
function evaluate(compiler: readonly string[], expressions: ReadonlyMap<string, string>): Map<string, bigint> {
  const lines = [...expressions].map(
    ([name, expression]) => `  asm volatile("\\n@@${name} %c0" :: "i"((int)(${expression})));`,
  );
  const source = [
    '#define _GNU_SOURCE',
    ...headers.map((header) => `#include <${header}>`),
    '#include <stddef.h>',
    'typedef long long loff_t;',
    'void answers(void) {',
    ...lines,
    '}',
  ].join('\n');
  const directory = mkdtempSync(join(tmpdir(), 'stele-headers-'));
  try {
    const file = join(directory, 'answers.c');
    writeFileSync(file, source);
    const [command, ...flags] = compiler;
    const text = execFileSync(command, [...flags, '-O1', '-w', '-S', '-o', '-', file], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return new Map(Array.from(text.matchAll(/^@@(\S+) \$?(-?\d+)/gm), ([, name, value]) => [name, BigInt(value)]));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function installed(guest: Guest): readonly string[] | undefined {
  return guest.compilers.find(([command, ...flags]) => {
    const result = spawnSync(command, [...flags, '-E', '-'], {
      input: '#include <asm/unistd.h>\n#include <stddef.h>\n',
    });
    return result.status === 0;
  });
}

for (const guest of guests) {
  const { abi } = guest;
  const compiler = installed(guest);
  if (compiler === undefined) {
    console.log(`no compiler with kernel headers for ${abi.name} is installed: its structures were not compared`);
  }
  describe.runIf(compiler !== undefined)(`${abi.name} and the kernel's headers`, () => {
    const ask = (expressions: ReadonlyMap<string, string>) => evaluate(compiler as readonly string[], expressions);

    test('structures', () => {
      const expressions = new Map<string, string>();
      const ours = new Map<string, bigint>();
      for (const [name, { type, fields = {} }] of Object.entries(types)) {
        if (guest.without?.includes(name as StructureName)) continue;
        const structure = abi.structures[name as StructureName];
        if (!open.has(name)) {
          expressions.set(name, `sizeof(${type})`);
          ours.set(name, BigInt(structure.size));
        }
        for (const field of Object.values(structure.fields)) {
          const there = field.name in fields ? fields[field.name] : field.name;
          if (there === null) continue;
          expressions.set(`${name}.${field.name}`, `offsetof(${type}, ${there})`);
          ours.set(`${name}.${field.name}`, BigInt(field.offset));
        }
      }
      expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(ask(expressions)));
      expect(ours.size).toBeGreaterThan(190);
    });

    test('constants', () => {
      const list = constants(guest).filter(([name]) => !notInHeaders.has(name));
      const expressions = new Map(list.map(([name]) => [name, name]));
      const theirs = ask(expressions);
      const signed = (value: bigint) => BigInt.asUintN(32, value);
      const wrong = list.filter(([name, value]) => signed(theirs.get(name) ?? -1n) !== signed(BigInt(value)));
      expect(wrong).toEqual([]);
    });

    test('numbers of system calls', () => {
      const rows = systemCalls.flatMap(({ name, numbers }) => {
        const number = numbers[abi.name];
        return number === undefined ? [] : [[name, number] as const];
      });
      const theirs = ask(new Map(rows.map(([name]) => [name, `__NR_${name}`])));
      expect(Object.fromEntries(rows.map(([name, number]) => [name, BigInt(number)]))).toEqual(
        Object.fromEntries(theirs),
      );
      const names = abi.names.flatMap((name, number) => (name === undefined ? [] : [[name, BigInt(number)] as const]));
      expect(Object.fromEntries(names)).toEqual(
        Object.fromEntries(ask(new Map(names.map(([name]) => [name, `__NR_${name}`])))),
      );
    });
  });
}
