/** The ways in which a program can be run here, and those in which it cannot, with the reason. */
import type { Target } from '../elf/machines.ts';

/** What is between the guest's instructions and the processor. */
export type Kind = 'native' | 'virtualized' | 'traced' | 'translated' | 'interpreted' | 'qemu';

export interface Contender {
  /** As users name it: an engine of `stele run`, `native`, or `qemu`. */
  readonly name: string;
  readonly kind: Kind;
  /** What runs it, for the report. */
  readonly description: string;
  /** The command; `options` are those of `stele run`, for the contenders that are Stele's. */
  command(program: string, args: readonly string[], options: readonly string[]): string[];
}

/** A contender that cannot run the program here. */
export interface Absentee {
  readonly name: string;
  /** A clause, and what to do. */
  readonly reason: string;
}

/** What contenders are found by. */
export interface Surroundings {
  /** The command that `stele` is: Node and its script. */
  readonly stele: readonly string[];
  /** Of the processor, as Node names it: x64. */
  readonly architecture: string;
  readonly platform: string;
  /** Whether the program's file is marked as one that can be started. */
  readonly mayExecute: boolean;
  /** The first line that a program prints when asked for its version; undefined where there is none. */
  programVersion(program: string): string | undefined;
  /** Why there are no virtual machines; empty where there are. */
  virtualizationProblem(): string;
  /** Why there are no traced processes; empty where there are. */
  tracingProblem(): string;
}

/** Everybody, in the order of the report. */
export const contenderNames: readonly string[] = [
  'native',
  'virtualized',
  'traced',
  'auto',
  'wasm',
  'regions',
  'blocks',
  'interpreted',
  'qemu',
];

/** What runs a kind of guest besides Stele. */
const others: Readonly<Record<string, { readonly qemu: string; readonly processors: readonly string[] }>> = {
  powerpc: { qemu: 'qemu-ppc', processors: [] },
  i386: { qemu: 'qemu-i386', processors: ['x64', 'ia32'] },
  'x86-64': { qemu: 'qemu-x86_64', processors: ['x64'] },
};

const descriptions: Readonly<Record<string, string>> = {
  interpreted: 'interpreter',
  blocks: 'JavaScript, a function per block',
  regions: 'JavaScript, a function per region',
  wasm: 'WebAssembly, a function per region',
  auto: 'interpreter, then WebAssembly',
  virtualized: 'the processor itself, in a KVM guest',
  traced: 'the processor itself, each system call stopped (ptrace)',
};

/** Everybody who could run a program of a kind: those who can, in the order of the report, and those who cannot. */
export function findContenders(
  abi: Target['abi'],
  surroundings: Surroundings,
): { readonly contenders: readonly Contender[]; readonly absentees: readonly Absentee[] } {
  const contenders: Contender[] = [];
  const absentees: Absentee[] = [];
  const { qemu, processors } = others[abi] ?? { qemu: `qemu-${abi}`, processors: [] };
  const { stele, architecture, platform } = surroundings;
  const isOwn = platform === 'linux' && processors.includes(architecture);
  if (isOwn && !surroundings.mayExecute) {
    absentees.push({ name: 'native', reason: 'this user may not execute the file (chmod +x)' });
  } else if (isOwn) {
    contenders.push({
      name: 'native',
      kind: 'native',
      description: 'the program itself',
      command: (program, args) => [program, ...args],
    });
  } else {
    absentees.push({ name: 'native', reason: `${abi} is not what this processor runs` });
  }
  for (const name of ['virtualized', 'traced', 'auto', 'wasm', 'regions', 'blocks', 'interpreted'] as const) {
    const problem = problemOf(name, abi, surroundings);
    if (problem !== '') {
      absentees.push({ name, reason: problem });
      continue;
    }
    contenders.push({
      name,
      kind: name === 'virtualized' || name === 'traced' || name === 'interpreted' ? name : 'translated',
      description: descriptions[name],
      command: (program, args, options) => [...stele, 'run', '--engine', name, ...options, program, ...args],
    });
  }
  const version = surroundings.programVersion(qemu);
  if (version === undefined) {
    absentees.push({ name: 'qemu', reason: `there is no ${qemu} (on Debian: apt-get install qemu-user)` });
  } else {
    contenders.push({
      name: 'qemu',
      kind: 'qemu',
      description: version,
      command: (program, args) => [qemu, program, ...args],
    });
  }
  return { contenders, absentees };
}

/** Why one of our engines cannot run a kind of program; empty where it can. */
function problemOf(name: string, abi: Target['abi'], surroundings: Surroundings): string {
  switch (name) {
    case 'virtualized':
      return abi === 'x86-64'
        ? surroundings.virtualizationProblem()
        : `it runs x86-64 programs, and this one is ${abi}`;
    case 'traced':
      return abi === 'x86-64' || abi === 'i386'
        ? surroundings.tracingProblem()
        : `it runs x86 programs, and this one is ${abi}`;
    default:
      return '';
  }
}
