/** `stele doctor`: each check where the machine has what it looks for and where not, and the command as users start it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checks, examine, type Machine, machine } from '../../src/cli/doctor.ts';
import { canBeWritten, deviceProblem, isDirectory, programVersion } from '../../src/host/inspection.ts';
import { features, isSupported } from '../../translators/webassembly/features.ts';
import { wasm } from '../../translators/webassembly/instructions.ts';
import { steleEntry } from '../programs/run-guest.ts';

/** A machine that has everything. */
const complete: Machine = {
  runtime: () => ({ node: '24.1.0', v8: '13.6', platform: 'linux', architecture: 'x64' }),
  programVersion: (program) => `${program} 1.2`,
  deviceProblem: () => undefined,
  isDirectory: () => true,
  canBeWritten: () => true,
  cacheDirectory: () => '/home/me/.cache',
  ffiProblem: () => '',
  firstLine: () => '1',
  addressSpaceLimit: () => undefined,
  hasWebAssembly: () => true,
  webAssemblyFeatures: (supported) => (supported ? ['tail calls'] : []),
  hasFusedMultiplyAdd: () => true,
  guestMemory: () => 2 ** 31,
  protectionProblem: () => '',
  virtualizationProblem: () => '',
  tracingProblem: () => '',
};

/** The findings of a machine that has everything but this, by key. */
function findings(differences: Partial<Machine>): Record<string, ReturnType<typeof examine>[number]> {
  return Object.fromEntries(examine({ ...complete, ...differences }).map((finding) => [finding.key, finding]));
}

describe('the checks', () => {
  test('find everything on a machine that has it', () => {
    for (const finding of examine(complete)) {
      expect(finding).toMatchObject({ isThere: true, detail: expect.stringMatching(/./) });
      expect(finding.remedy).toBeUndefined();
    }
    expect(findings({}).node.detail).toBe('24.1.0, V8 13.6, linux x64');
    expect(findings({}).memory.detail).toBe('2.0 GiB can be reserved');
    expect(findings({}).qemu.detail).toBe(
      ['ppc', 'i386', 'x86_64'].map((name) => `qemu-${name} 1.2, qemu-${name}-static 1.2`).join(', '),
    );
    expect(findings({}).sysroots.detail).toBe('/usr/powerpc-linux-gnu, /usr/i686-linux-gnu, /usr/x86_64-linux-gnu');
    expect(findings({ programVersion: (name) => (name === 'qemu-ppc' ? 'QEMU 9' : undefined) }).qemu.detail).toBe(
      'QEMU 9',
    );
    expect(findings({ firstLine: () => undefined }).ptrace.isThere).toBe(true);
    const kindWith = (...modules: string[]): string =>
      findings({ isDirectory: (path) => modules.some((module) => path === `/sys/module/${module}`) }).kvm.detail;
    expect(kindWith('kvm', 'kvm_pvm')).toBe('virtual machines can be made, paravirtualized (kvm_pvm)');
    expect(kindWith('kvm', 'kvm_amd')).toBe("virtual machines can be made, the processor's own (kvm_amd)");
    expect(kindWith('kvm', 'kvm_intel')).toBe("virtual machines can be made, the processor's own (kvm_intel)");
    expect(kindWith()).toBe('virtual machines can be made');
    expect(findings({ firstLine: () => undefined }).perf.isThere).toBe(true);
  });

  const throwing = (): never => {
    throw new Error('could not allocate memory');
  };
  // biome-ignore format: one row per line
  const lacks: readonly [key: string, what: string, lack: Partial<Machine>, detail: RegExp, remedy: RegExp][] = [
    ['node', 'an old Node', { runtime: () => ({ ...complete.runtime(), node: '9.11.0' }) }, /^9\.11\.0/, /^install Node >=24$/],
    ['memory', 'no room', { guestMemory: throwing }, /could not allocate/, /ulimit -v/],
    ['memory', 'no WebAssembly', { hasWebAssembly: () => false, guestMemory: throwing }, /no WebAssembly/, /options/],
    ['webassembly', 'no WebAssembly', { hasWebAssembly: () => false }, /no WebAssembly/, /options/],
    ['webassembly', 'no tail calls', { webAssemblyFeatures: (is) => (is ? [] : ['tail calls']) }, /without tail calls/, /options/],
    ['fusedMultiplyAdd', 'two roundings', { hasFusedMultiplyAdd: () => false }, /software/, /FMA/],
    ['fusedMultiplyAdd', 'no WebAssembly', { hasWebAssembly: () => false, hasFusedMultiplyAdd: throwing }, /software/, /FMA/],
    ['ffi', 'no koffi', { ffiProblem: () => 'koffi is not installed' }, /^koffi is not installed$/, /optional dependencies/],
    ['pageProtection', 'no koffi', { protectionProblem: () => 'koffi is not installed' }, /checked.*: koffi is not/, /koffi/],
    ['pageProtection', 'no WebAssembly', { hasWebAssembly: () => false, protectionProblem: throwing }, /no WebAssembly/, /options/],
    ['addressSpace', 'a limit', { addressSpaceLimit: () => 3 * 2 ** 30 }, /^limited to 3\.0 GiB$/, /ulimit -v unlimited/],
    ['cache', 'a locked directory', { canBeWritten: () => false }, /^\/home\/me\/\.cache\/stele cannot/, /XDG_CACHE_HOME/],
    ['kvm', 'no device', { deviceProblem: () => 'ENOENT' }, /^there is no \/dev\/kvm$/, /kvm_intel or kvm_amd/],
    ['kvm', 'a locked device', { deviceProblem: () => 'EACCES' }, /cannot be opened \(EACCES\)/, /group kvm/],
    ['kvm', 'a KVM that is too old', { virtualizationProblem: () => 'it is too old' }, /^no virtual machine can be made: it is too old$/, /other engines/],
    ['ptrace', 'a sandbox', { tracingProblem: () => 'not permitted' }, /^no process can be traced: not permitted$/, /other engines/],
    ['ptrace', 'scope 2', { firstLine: () => '2' }, /scope 2 forbids/, /kernel\.yama\.ptrace_scope=1/],
    ['ptrace', 'another system', { runtime: () => ({ ...complete.runtime(), platform: 'darwin' }) }, /darwin/, /use Linux/],
    ['crossCompilers', 'no programs', { programVersion: () => undefined }, /no powerpc-linux-gnu-gcc/, /install gcc-powerpc-linux-gnu gcc-i686-linux-gnu gcc-x86-64-linux-gnu$/],
    ['sysroots', 'no directory', { isDirectory: () => false }, /no \/usr\/powerpc-linux-gnu/, /libc6-dev-powerpc-cross/],
    ['qemu', 'no programs', { programVersion: () => undefined }, /no qemu-ppc, no qemu-ppc-static.*no qemu-x86_64/, /install qemu-user$/],
    ['perf', 'no programs', { programVersion: () => undefined, firstLine: () => '4' }, /no perf/, /linux-perf/],
    ['perf', 'a paranoid kernel', { firstLine: () => '3' }, /perf_event_paranoid 3/, /perf_event_paranoid=2/],
  ];

  test.each(lacks)('%s: %s', (key, _what, lack, detail, remedy) => {
    const finding = findings(lack)[key];
    expect(finding.isThere).toBe(false);
    expect(finding.detail).toMatch(detail);
    expect(finding.remedy).toMatch(remedy);
  });

  test('each has a lack here', () => {
    expect([...new Set(lacks.map(([key]) => key))]).toEqual(checks.map(({ key }) => key));
  });
});

describe('WebAssembly features', () => {
  test('that translations need are there', () => {
    expect(machine.webAssemblyFeatures(false)).toEqual([]);
    expect(machine.webAssemblyFeatures(true)).toEqual(expect.arrayContaining(['tail calls', 'atomic operations']));
  });

  test('that V8 does not have are told from those that it has', () => {
    const [first] = features;
    expect(isSupported(first)).toBe(true);
    // An opcode that is reserved, and a body without its result.
    expect(isSupported({ ...first, write: (f) => f.op(0x27) })).toBe(false);
    expect(isSupported({ ...first, write: (f) => f.op(wasm.drop) })).toBe(false);
  });
});

describe('what is asked of the host', () => {
  const folder = mkdtempSync(join(tmpdir(), 'stele-doctor-'));
  const file = join(folder, 'file');
  writeFileSync(file, 'one\ntwo\n', { mode: 0o755 });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('devices', () => {
    expect(deviceProblem(file)).toBeUndefined();
    expect(deviceProblem(join(folder, 'none'))).toBe('ENOENT');
    expect(deviceProblem(folder)).toBe('EISDIR');
  });

  test('directories', () => {
    expect([folder, file, join(folder, 'none')].map(isDirectory)).toEqual([true, false, false]);
    expect(canBeWritten(folder)).toBe(true);
    expect(canBeWritten(join(folder, 'new', 'and', 'deep'))).toBe(true);
    expect(canBeWritten(join(file, 'below'))).toBe(false);
    expect(canBeWritten('/dev/null/below')).toBe(false);
    expect(isDirectory(join(folder, 'new'))).toBe(false);
  });

  test('programs, files', () => {
    expect(programVersion(process.execPath)).toBe(process.version);
    expect(programVersion(join(folder, 'none'))).toBeUndefined();
    expect(machine.firstLine(file)).toBe('one');
    expect(machine.firstLine(folder)).toBeUndefined();
  });
});

describe('the command', { timeout: 60_000 }, () => {
  interface Answer {
    readonly canRun: boolean;
    readonly checks: readonly { key: string; isThere: boolean; detail: string; remedy?: string }[];
  }

  function stele(args: readonly string[], environment: Readonly<Record<string, string>> = {}, shell = '') {
    const command = [process.execPath, steleEntry(), ...args];
    const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', `${shell} exec "$@"`, 'sh', ...command], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: tmpdir(), ...environment },
    });
    expect(stderr).toBe('');
    return { status, stdout };
  }

  const isThere = (stdout: string): Record<string, boolean> =>
    Object.fromEntries((JSON.parse(stdout) as Answer).checks.map(({ key, isThere }) => [key, isThere]));

  test('prints a line for each check, and where nothing essential is missing ends with 0', () => {
    const { status, stdout } = stele(['doctor']);
    const lines = stdout.split('\n');
    expect(lines.slice(checks.length)).toEqual(['', 'Programs can run.', '']);
    for (const [index, { label }] of checks.entries()) {
      expect(lines[index]).toMatch(new RegExp(`^${label.replace(/[()]/g, '\\$&')} +(yes  \\S.*|no   \\S.*; \\S.*)$`));
    }
    expect(status).toBe(0);
  });

  test('prints the same as JSON', () => {
    const { status, stdout } = stele(['doctor', '--json']);
    const { canRun, checks: found } = JSON.parse(stdout) as Answer;
    expect({ canRun, status }).toEqual({ canRun: true, status: 0 });
    expect(found.map(({ key }) => key)).toEqual(checks.map(({ key }) => key));
    for (const one of found) expect(one.remedy === undefined).toBe(one.isThere);
  });

  test('sees that koffi is not there, without which programs run', () => {
    const { status, stdout } = stele(['doctor', '--json'], {
      NODE_OPTIONS: `--import=${join(import.meta.dirname, '../host/hide-packages.mjs')}`,
      HIDDEN_PACKAGES: 'koffi,@koromix/',
    });
    expect(isThere(stdout)).toMatchObject({ ffi: false, pageProtection: false, memory: true });
    expect(stdout).toContain('koffi is not installed');
    expect(status).toBe(0);
  });

  test('sees what is not in the search path', () => {
    const { status, stdout } = stele(['doctor', '--json'], { PATH: '/nonexistent' });
    expect(isThere(stdout)).toMatchObject({ crossCompilers: false, qemu: false, perf: false });
    expect(status).toBe(0);
  });

  test.runIf(process.platform === 'linux')('sees that programs cannot run where address space is short', () => {
    const { status, stdout } = stele(['doctor'], {}, 'ulimit -v 2000000;');
    expect(stdout).toMatch(/^guest memory +no /m);
    expect(stdout).toMatch(/^address space +no {3}limited to 1\.9 GiB; /m);
    expect(stdout).toMatch(/\n\nPrograms cannot run: see guest memory\.\n$/);
    expect(status).toBe(1);
  });
});
