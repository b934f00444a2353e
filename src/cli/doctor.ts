/** `stele doctor`: what this machine offers, a line each, and what to do where something is missing. */
import manifest from '../../package.json' with { type: 'json' };
import { features, isSupported } from '../../translators/webassembly/features.ts';
import { hasFusedMultiplyAdd } from '../../translators/webassembly/link.ts';
import { cacheDirectory, readText, writeOutput } from '../host/command.ts';
import { canBeWritten, deviceProblem, isDirectory, programVersion, runtime } from '../host/inspection.ts';
import { ffiProblem, findHostPages } from '../host/page-protection.ts';
import { AddressSpace } from '../memory/address-space.ts';
import { tracingProblem, virtualizationProblem } from './processor-engines.ts';

/** What checks ask. */
export const machine = {
  runtime,
  programVersion,
  deviceProblem,
  isDirectory,
  canBeWritten,
  cacheDirectory,
  ffiProblem,
  /** A file's first line; undefined when it cannot be read. */
  firstLine: (path: string): string | undefined => {
    const text = readText(path);
    return typeof text === 'string' ? text.split('\n', 1)[0] : undefined;
  },
  /** Bytes of address space that a process may have; undefined where there is no limit, or none is known. */
  addressSpaceLimit: (): number | undefined => {
    const limits = readText('/proc/self/limits');
    const soft = typeof limits === 'string' ? /^Max address space +(\d+)/m.exec(limits)?.[1] : undefined;
    return soft === undefined ? undefined : Number(soft);
  },
  hasWebAssembly: (): boolean => typeof WebAssembly !== 'undefined',
  /** Names of the features that translations use, as far as they are there, or are not. */
  webAssemblyFeatures: (supported: boolean): string[] =>
    features
      .filter((feature) => (supported || feature.isRequired) && isSupported(feature) === supported)
      .map(({ name }) => name),
  hasFusedMultiplyAdd,
  /** Makes the memory of a guest. @returns its size in bytes. @throws when there is no room */
  guestMemory: (): number => new AddressSpace('big').buffer.byteLength,
  /** Why the host cannot protect a guest's pages; empty where it can. */
  protectionProblem: (): string => {
    const pages = findHostPages(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
    return 'reason' in pages ? pages.reason : '';
  },
  virtualizationProblem,
  tracingProblem,
};
export type Machine = typeof machine;

/** What a check found. */
export interface Finding {
  readonly isThere: boolean;
  /** What there is, or what is wrong. */
  readonly detail: string;
  /** What to do where it is not there. */
  readonly remedy?: string;
}

interface Check {
  /** Key in the JSON. */
  readonly key: string;
  readonly label: string;
  /** Whether programs cannot run without it. */
  readonly isEssential: boolean;
  check(machine: Machine): Finding;
}

// biome-ignore format: one row per line
export const checks: readonly Check[] = [
  { key: 'node', label: 'Node', isEssential: true, check: checkNode },
  { key: 'memory', label: 'guest memory', isEssential: true, check: checkMemory },
  { key: 'webassembly', label: 'WebAssembly', isEssential: true, check: checkWebAssembly },
  { key: 'fusedMultiplyAdd', label: 'fused multiply-add', isEssential: false, check: checkFusedMultiplyAdd },
  { key: 'ffi', label: 'FFI (koffi)', isEssential: false, check: checkFfi },
  { key: 'pageProtection', label: 'page protection by the host', isEssential: false, check: checkPageProtection },
  { key: 'addressSpace', label: 'address space', isEssential: false, check: checkAddressSpace },
  { key: 'cache', label: 'cache directory', isEssential: false, check: checkCache },
  { key: 'kvm', label: 'KVM', isEssential: false, check: checkKvm },
  { key: 'ptrace', label: 'ptrace', isEssential: false, check: checkPtrace },
  { key: 'crossCompilers', label: 'cross compilers', isEssential: false, check: checkCompilers },
  { key: 'sysroots', label: 'sysroots', isEssential: false, check: checkSysroots },
  { key: 'qemu', label: 'QEMU user mode', isEssential: false, check: checkQemu },
  { key: 'perf', label: 'perf', isEssential: false, check: checkPerf },
];

/** What programs for each kind of guest are compiled with, looked for in and emulated by, with Debian's packages. */
const targets = [
  { name: 'powerpc-linux-gnu', libraries: 'libc6-dev-powerpc-cross', emulators: ['qemu-ppc', 'qemu-ppc-static'] },
  { name: 'i686-linux-gnu', libraries: 'libc6-dev-i386-cross', emulators: ['qemu-i386', 'qemu-i386-static'] },
  { name: 'x86_64-linux-gnu', libraries: 'libc6-dev-amd64-cross', emulators: ['qemu-x86_64', 'qemu-x86_64-static'] },
];

const there = (detail: string): Finding => ({ isThere: true, detail });
const missing = (detail: string, remedy: string): Finding => ({ isThere: false, detail, remedy });
const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
const noWebAssembly = missing('there is no WebAssembly', 'start Node without options that turn it off');

function checkNode({ runtime }: Machine): Finding {
  const { node, v8, platform, architecture } = runtime();
  const detail = `${node}, V8 ${v8}, ${platform} ${architecture}`;
  const needed = manifest.engines.node;
  const major = (version: string): number => Number(/\d+/.exec(version));
  return major(node) >= major(needed) ? there(detail) : missing(detail, `install Node ${needed}`);
}

function checkMemory({ hasWebAssembly, guestMemory }: Machine): Finding {
  if (!hasWebAssembly()) return noWebAssembly;
  try {
    return there(`${gibibytes(guestMemory())} can be reserved`);
  } catch (error) {
    return missing((error as Error).message, 'allow at least 4 GiB of address space (ulimit -v)');
  }
}

function checkWebAssembly({ hasWebAssembly, webAssemblyFeatures }: Machine): Finding {
  if (!hasWebAssembly()) return noWebAssembly;
  const lacking = webAssemblyFeatures(false);
  return lacking.length === 0
    ? there(webAssemblyFeatures(true).join(', '))
    : missing(`without ${lacking.join(', ')}`, 'start Node without options that turn features off');
}

function checkFusedMultiplyAdd({ hasWebAssembly, hasFusedMultiplyAdd }: Machine): Finding {
  return hasWebAssembly() && hasFusedMultiplyAdd()
    ? there('relaxed SIMD rounds once')
    : missing('done by software, exactly but more slowly', 'use a processor with FMA and a Node with relaxed SIMD');
}

function checkFfi({ ffiProblem }: Machine): Finding {
  const problem = ffiProblem();
  return problem === ''
    ? there('functions of the C library can be called')
    : missing(problem, 'install Stele with its optional dependencies (npm without --omit=optional)');
}

function checkPageProtection({ hasWebAssembly, protectionProblem }: Machine): Finding {
  if (!hasWebAssembly()) return noWebAssembly;
  const problem = protectionProblem();
  return problem === ''
    ? there('accesses need no checks')
    : missing(
        `accesses are checked, which is slower: ${problem}`,
        'it takes Linux, koffi, and address space without a limit',
      );
}

function checkAddressSpace({ addressSpaceLimit }: Machine): Finding {
  const limit = addressSpaceLimit();
  return limit === undefined
    ? there('no limit is known')
    : missing(
        `limited to ${gibibytes(limit)}`,
        'a guest reserves 2 GiB and page protection 10 GiB more: ulimit -v unlimited',
      );
}

function checkCache({ cacheDirectory, canBeWritten }: Machine): Finding {
  const directory = `${cacheDirectory()}/stele`;
  return canBeWritten(directory)
    ? there(directory)
    : missing(`${directory} cannot be written`, 'set XDG_CACHE_HOME to a directory of yours');
}

/** The kernel's modules of KVM, and what each makes virtual machines of; a paravirtualized one is for hosts that are virtual machines themselves. */
const kvmKinds = [
  { module: 'kvm_pvm', kind: 'paravirtualized (kvm_pvm)' },
  { module: 'kvm_intel', kind: "the processor's own (kvm_intel)" },
  { module: 'kvm_amd', kind: "the processor's own (kvm_amd)" },
] as const;

function checkKvm({ deviceProblem, isDirectory, virtualizationProblem }: Machine): Finding {
  const device = '/dev/kvm';
  const problem = deviceProblem(device);
  if (problem === undefined) {
    const unusable = virtualizationProblem();
    if (unusable !== '') return missing(`no virtual machine can be made: ${unusable}`, 'the other engines do without');
    const kind = kvmKinds.find(({ module }) => isDirectory(`/sys/module/${module}`))?.kind;
    return there(`virtual machines can be made${kind === undefined ? '' : `, ${kind}`}`);
  }
  return problem === 'ENOENT'
    ? missing(`there is no ${device}`, 'load the module kvm_intel or kvm_amd; in a virtual machine, turn on nesting')
    : missing(`${device} cannot be opened (${problem})`, 'become a member of the group kvm');
}

/** By Yama's scope (Documentation/admin-guide/LSM/Yama.rst): 0 and 1 let a process trace its own children. */
function checkPtrace({ runtime, firstLine, tracingProblem }: Machine): Finding {
  const { platform } = runtime();
  if (platform !== 'linux') return missing(`that of ${platform} is another one`, 'use Linux');
  const scope = firstLine('/proc/sys/kernel/yama/ptrace_scope');
  if (scope !== undefined && Number(scope) > 1) {
    return missing(`Yama's scope ${scope} forbids it`, 'sysctl kernel.yama.ptrace_scope=1, as root');
  }
  const problem = tracingProblem();
  if (problem !== '') return missing(`no process can be traced: ${problem}`, 'the other engines do without');
  return there(scope === undefined ? 'children can be traced' : `children can be traced (Yama's scope is ${scope})`);
}

/** Finds those of some programs that are there, with their versions. */
function checkPrograms({ programVersion }: Machine, programs: readonly string[], packages: string): Finding {
  const found = programs.flatMap((program) => programVersion(program) ?? []);
  return found.length > 0
    ? there(found.join(', '))
    : missing(`there is no ${programs.join(', no ')}`, `on Debian: apt-get install ${packages}`);
}

function checkCompilers(machine: Machine): Finding {
  const packages = targets.map(({ name }) => `gcc-${name.replace('_', '-')}`).join(' ');
  return checkPrograms(
    machine,
    targets.map(({ name }) => `${name}-gcc`),
    packages,
  );
}

function checkSysroots({ isDirectory }: Machine): Finding {
  const directories = targets.map(({ name }) => `/usr/${name}`);
  const found = directories.filter(isDirectory);
  const packages = targets.map(({ libraries }) => libraries).join(' ');
  return found.length > 0
    ? there(found.join(', '))
    : missing(`there is no ${directories.join(', no ')}`, `on Debian: apt-get install ${packages}`);
}

function checkQemu(machine: Machine): Finding {
  return checkPrograms(
    machine,
    targets.flatMap(({ emulators }) => emulators),
    'qemu-user',
  );
}

/** By perf_event_paranoid (Documentation/admin-guide/sysctl/kernel.rst): up to 2 users may measure processes of theirs. */
function checkPerf(machine: Machine): Finding {
  const found = checkPrograms(machine, ['perf'], 'linux-perf');
  const level = machine.firstLine('/proc/sys/kernel/perf_event_paranoid');
  return !found.isThere || Number(level ?? 0) <= 2
    ? found
    : missing(`perf_event_paranoid ${level} forbids to measure`, 'sysctl kernel.perf_event_paranoid=2, as root');
}

/** What the checks find, in their order. */
export function examine(machine: Machine): (Omit<Check, 'check'> & Finding)[] {
  return checks.map(({ check, ...about }) => ({ ...about, ...check(machine) }));
}

/**
 * Prints what this machine offers.
 * @returns the exit status: 0 where programs can run
 */
export function doctor(json: boolean): number {
  const results = examine(machine);
  const lacking = results.filter(({ isEssential, isThere }) => isEssential && !isThere).map(({ label }) => label);
  const canRun = lacking.length === 0;
  if (json) {
    writeOutput(`${JSON.stringify({ canRun, checks: results }, undefined, 2)}\n`);
  } else {
    const width = Math.max(...results.map(({ label }) => label.length));
    for (const { label, isThere, detail, remedy } of results) {
      const rest = isThere ? `yes  ${detail}` : `no   ${detail}; ${remedy}`;
      writeOutput(`${label.padEnd(width)}  ${rest}\n`);
    }
    writeOutput(`\n${canRun ? 'Programs can run.' : `Programs cannot run: see ${lacking.join(', ')}.`}\n`);
  }
  return canRun ? 0 : 1;
}
