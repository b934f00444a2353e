import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { guestEnvironment } from '../../src/cli/guest-environment.ts';
import { machinesPage } from '../../src/cli/machines-page.ts';
import {
  optionsFromConfiguration,
  optionsFromEnvironment,
  type PartialOptions,
  parseValue,
  resolveOptions,
  runOptions,
  UsageError,
} from '../../src/cli/options.ts';
import { optionsPage } from '../../src/cli/options-page.ts';

/** What `stele run` with these arguments sets. */
function parse(...args: string[]): { options: PartialOptions; program: string; args: readonly string[] } {
  const request = parseCommandLine(['run', ...args], '1.2.3');
  if (request.kind !== 'run') throw new Error('this is not a run');
  const { program } = request;
  const options = Object.fromEntries(Object.entries(request.options).filter(([, value]) => value !== undefined));
  return { options, program, args: request.args };
}

describe('the rows of options', () => {
  test('have keys that are their long names in camel case, and names of their own', () => {
    for (const { key, long, environment } of runOptions) {
      expect(key).toBe(long.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()));
      expect(environment).toBe(`STELE_${long.toUpperCase().replaceAll('-', '_')}`);
    }
    const shorts = runOptions.map(({ short }) => short).filter((short) => short !== '');
    expect(new Set(shorts).size).toBe(shorts.length);
    expect(new Set(runOptions.map(({ long }) => long)).size).toBe(runOptions.length);
  });

  test('all appear in the help', () => {
    const request = parseCommandLine(['run', '--help'], '1.2.3');
    expect(request.kind).toBe('print');
    const text = request.kind === 'print' ? request.text : '';
    for (const { short, long, alias, environment, value } of runOptions) {
      expect(text).toContain(`--${long}${value === '' ? '' : ` <${value}>`}`);
      if (short !== '') expect(text).toContain(`-${short}, --${long}`);
      if (alias !== undefined) expect(text).toContain(`(also ${alias})`);
      expect(text).toContain(environment);
    }
  });
});

test('docs/options.md and docs/machines.md are what the rows say (node scripts/options.ts writes them)', () => {
  const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  expect(read('docs/options.md')).toBe(optionsPage());
  expect(read('docs/machines.md')).toBe(machinesPage(read('examples/machines.yaml')));
});

describe('the command line', () => {
  test("has QEMU's spellings and long ones", () => {
    expect(parse('-L', '/root', '-E', 'A=1', '-E', 'B=2,3', '-U', 'C', '-0', 'name', '-s', '64K', 'guest')).toEqual({
      program: 'guest',
      args: [],
      options: { sysroot: '/root', setEnv: ['A=1', 'B=2,3'], unsetEnv: ['C'], argv0: 'name', stackSize: 65536 },
    });
    expect(
      parse('--sysroot=/root', '--set-env', 'A=1', '--stack-size=2M', '--engine', 'blocks', 'guest').options,
    ).toEqual({
      sysroot: '/root',
      setEnv: ['A=1'],
      stackSize: 2 << 20,
      engine: 'blocks',
    });
    expect(parse('-d', 'in_asm,op', '-D', 'file', 'guest').options).toEqual({ log: ['in_asm', 'op'], logFile: 'file' });
    expect(parse('--stats', '--json', '--stats-file', 'file', 'guest').options).toEqual({
      stats: true,
      json: true,
      statsFile: 'file',
    });
  });

  test('takes -strace wherever an option can stand, and nowhere else', () => {
    expect(parse('-strace', 'guest').options).toEqual({ strace: true });
    expect(parse('-E', 'A=1', '-strace', '--engine', 'blocks', 'guest').options).toMatchObject({ strace: true });
    expect(parse('-0', '-strace', 'guest').options).toEqual({ argv0: '-strace' });
    expect(parse('guest', '-strace')).toEqual({ program: 'guest', args: ['-strace'], options: {} });
    expect(parse('--', 'guest', '-strace')).toMatchObject({ program: 'guest', args: ['-strace'] });
  });

  test("leaves everything after the program's name to the program", () => {
    const args = ['--help', '-L', 'x', '--', '-E', 'a=b', '--nonsense', ''];
    expect(parse('--stats', 'guest', ...args)).toEqual({ program: 'guest', args, options: { stats: true } });
  });

  // biome-ignore format: one row per line
  const mistakes: readonly [args: readonly string[], message: string][] = [
    [[], 'no command'],
    [['walk'], "unknown command 'walk'"],
    [['run'], "missing required argument 'program'"],
    [['run', '--nonsense', 'guest'], "unknown option '--nonsense'"],
    [['run', '-L'], "option '-L, --sysroot <dir>' argument missing"],
    [['run', '--engine', 'steam', 'guest'], '--engine: "steam" is not one of'],
    [['run', '-d', 'in_asm,all', 'guest'], '-d: "all" is not one of in_asm'],
    [['run', '-s', 'huge', 'guest'], '-s: "huge" is not a size'],
    [['run', '-s', '0', 'guest'], '-s: "0" is not a size'],
  ];

  test.each(mistakes)('%j is a mistake', (args, message) => {
    expect(() => parseCommandLine(args, '1.2.3')).toThrow(UsageError);
    expect(() => parseCommandLine(args, '1.2.3')).toThrow(message);
  });

  test('has a command without a program', () => {
    expect(parseCommandLine(['doctor'], '1.2.3')).toEqual({ kind: 'doctor', json: false });
    expect(parseCommandLine(['doctor', '--json'], '1.2.3')).toEqual({ kind: 'doctor', json: true });
    expect(() => parseCommandLine(['doctor', 'x'], '1.2.3')).toThrow(UsageError);
  });

  test('answers --version and --help', () => {
    expect(parseCommandLine(['--version'], '1.2.3')).toEqual({ kind: 'print', text: '1.2.3\n' });
    expect(parseCommandLine(['--help'], '1.2.3')).toMatchObject({
      kind: 'print',
      text: expect.stringContaining('run '),
    });
    expect(parseCommandLine(['help', 'run'], '1.2.3')).toEqual(parseCommandLine(['run', '--help'], '1.2.3'));
  });
});

describe('precedence', () => {
  const defaults = resolveOptions();

  test('is flag, environment, file, default', () => {
    expect(defaults).toMatchObject({ engine: 'auto', sysroot: '', stackSize: 8 << 20, strace: false, log: [] });
    const flags = parse('--engine', 'regions', 'guest').options;
    const environment = optionsFromEnvironment({ STELE_ENGINE: 'blocks', STELE_SYSROOT: '/environment', HOME: '/x' });
    const text = '{ "engine": "interpreted", "sysroot": "/file", "stack-size": "1M", "set-env": ["A=1", "B=2"] }';
    const file = optionsFromConfiguration(text, 'config.json');
    expect(resolveOptions(flags, environment, file)).toEqual({
      ...defaults,
      engine: 'regions',
      sysroot: '/environment',
      stackSize: 1 << 20,
      setEnv: ['A=1', 'B=2'],
    });
    expect(resolveOptions({}, environment, file).engine).toBe('blocks');
    expect(resolveOptions({}, {}, file).engine).toBe('interpreted');
  });

  test('lets the environment turn off what the file turned on', () => {
    const file = optionsFromConfiguration('{ "strace": true, "log": ["op"], "stack-size": 4096 }', 'config.json');
    expect(file).toEqual({ strace: true, log: ['op'], stackSize: 4096 });
    expect(resolveOptions(optionsFromEnvironment({ STELE_STRACE: '0' }), file).strace).toBe(false);
  });

  // biome-ignore format: one row per line
  const mistakes: readonly [text: string, message: string][] = [
    ['{', 'config.json: '],
    ['[]', 'does not hold a JSON object'],
    ['{ "speed": 1 }', 'there is no option "speed"'],
    ['{ "config": "x" }', 'there is no option "config"'],
    ['{ "strace": 7 }', 'config.json: strace: 7'],
    ['{ "engine": "steam" }', 'config.json: engine: "steam" is not one of'],
    ['{ "log": ["everything"] }', 'config.json: log: "everything" is not one of'],
    ['{ "sysroot": null }', 'config.json: sysroot: null'],
  ];

  test.each(mistakes)('a file with %s is a mistake', (text, message) => {
    expect(() => optionsFromConfiguration(text, 'config.json')).toThrow(UsageError);
    expect(() => optionsFromConfiguration(text, 'config.json')).toThrow(message);
  });

  test('an environment variable with a bad value is a mistake that names it', () => {
    expect(() => optionsFromEnvironment({ STELE_ENGINE: 'steam' })).toThrow('STELE_ENGINE: "steam" is not one of');
    expect(() => optionsFromEnvironment({ STELE_STATS: 'maybe' })).toThrow('STELE_STATS: "maybe" is neither 1 nor 0');
  });

  test('sizes have units', () => {
    const row = runOptions.find(({ key }) => key === 'stackSize')!;
    expect(['4096', '64k', '8M', '1G'].map((text) => parseValue(row, text, '-s'))).toEqual([
      4096,
      65536,
      8 << 20,
      2 ** 30,
    ]);
  });
});

describe("the guest's environment", () => {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const decode = (entries: Uint8Array[]): string[] => entries.map((entry) => new TextDecoder().decode(entry));

  test('is inherited, less what is removed, with what is set', () => {
    const inherited = ['A=1', 'B=2', 'C=x=y'].map(encode);
    expect(decode(guestEnvironment(inherited, ['B', 'Z'], ['A=9', 'D=', 'E']))).toEqual(['A=9', 'C=x=y', 'D=', 'E=']);
    expect(decode(guestEnvironment(inherited, ['A,B'], ['D=1,2,_E=3=4,5']))).toEqual(['C=x=y', 'D=1,2', '_E=3=4,5']);
    expect(decode(guestEnvironment(inherited, ['A'], ['A=again']))).toEqual(['B=2', 'C=x=y', 'A=again']);
  });

  test('keeps bytes that are not UTF-8', () => {
    const odd = Uint8Array.of(0x4e, 0xff, 0x3d, 0xfe);
    expect(guestEnvironment([odd], [], [])).toEqual([odd]);
  });
});
