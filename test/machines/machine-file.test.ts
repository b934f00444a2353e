/** Files of machines: what they say, and what is said of those that are wrong. */
import { describe, expect, test } from 'vitest';
import { parseMachineFile } from '../../src/cli/machine-file.ts';
import { joinMachineSettings, machineDefaults, machineRows } from '../../src/cli/machine-options.ts';

const parse = (text: string) => parseMachineFile(text, '/somewhere/machines.yaml');

describe('a file of machines', () => {
  test('says what each machine is', () => {
    const { machines, defaults, problems } = parse(`
defaults: { engine: wasm, env: { A: one, B: two } }
machines:
  first:
    program: bin/first
    args: [1, -x, 007, "two words", true]
    env: { A: null, C: 3.50 }
    isa: powerpc
    memory-limit: 64M
    cpu-share: 2.5
    cpu-limit: 500ms
    wall-limit: 2m
    output-limit: none
    root: /
    directory: ..
    stdin: in
    stdout: /dev/null
    stderr: err
  second: { program: /bin/second, engine: auto }
`);
    expect(problems).toEqual([]);
    expect(defaults).toEqual({ engine: 'wasm', env: { A: 'one', B: 'two' } });
    expect(machines.map(({ name }) => name)).toEqual(['first', 'second']);
    expect(machines[0].settings).toEqual({
      program: '/somewhere/bin/first',
      args: ['1', '-x', '007', 'two words', 'true'],
      env: { A: null, C: '3.50' },
      isa: 'powerpc',
      memoryLimit: 64 << 20,
      cpuShare: 2.5,
      cpuLimit: 0.5,
      wallLimit: 120,
      outputLimit: Number.POSITIVE_INFINITY,
      root: '/',
      directory: '/',
      stdin: '/somewhere/in',
      stdout: '/dev/null',
      stderr: '/somewhere/err',
    });
    expect(joinMachineSettings(machines[0].settings, { cpuShare: 7, wallLimit: 3 }, defaults)).toMatchObject({
      engine: 'wasm',
      cpuShare: 2.5,
      env: { A: null, B: 'two', C: '3.50' },
    });
    expect(joinMachineSettings(machines[1].settings, defaults).engine).toBe('auto');
  });

  test('may be JSON', () => {
    const { machines, problems } = parse('{"machines": {"a": {"program": "a", "args": ["x"], "cpu-limit": 3}}}');
    expect(problems).toEqual([]);
    expect(machines[0].settings).toEqual({ program: '/somewhere/a', args: ['x'], cpuLimit: 3 });
  });

  test('may say a thing once for several machines', () => {
    const { machines, problems } = parse('machines:\n  a: &a { program: p, args: [1] }\n  b: *a\n');
    expect(problems).toEqual([]);
    expect(machines[1].settings).toEqual(machines[0].settings);
  });

  test('knows where things were said', () => {
    const { machines } = parse('machines:\n  a:\n    program: p\n    engine: traced\n');
    expect(machines[0].place('engine')).toBe('/somewhere/machines.yaml:4:5: a');
    expect(machines[0].place()).toBe('/somewhere/machines.yaml:2:3: a');
    expect(machines[0].place('stdin')).toBe('/somewhere/machines.yaml:2:3: a');
  });

  // biome-ignore format: one row per line
  const mistakes: readonly (readonly [text: string, ...problems: string[]])[] = [
    ['', '1:1: the file does not hold a mapping with the key "machines"'],
    ['- a\n', '1:1: the file does not hold a mapping with the key "machines"'],
    ['{}', '1:1: there is no key "machines"'],
    ['machines: {}', '1:1: machines: a mapping from names to machines is needed'],
    ['machines: [a]', '1:1: machines: a mapping from names to machines is needed'],
    ['machine: { a: { program: p } }', '1:1: the file: there is no key "machine"; did you mean "machines"?', '1:1: there is no key "machines"'],
    ['machines:\n  a:\n    programm: p\n', '3:5: a: there is no key "programm"; did you mean "program"?'],
    ['machines: { a: { program: p, colour: red } }', `1:30: a: there is no key "colour"; there are ${machineRows.map(({ long }) => long).join(', ')}`],
    ['machines: { a: p }', `1:13: a: a mapping with some of these keys is needed: ${machineRows.map(({ long }) => long).join(', ')}`],
    ['machines: { "a b": { program: p } }', '1:13: machines: "a b" is not a name: letters, digits, "_", "." and "-", at most 40'],
    ['machines: { a: { program: p, args: -x } }', '1:36: a: args: a list of texts is needed'],
    ['machines: { a: { program: p, args: [[x]] } }', '1:36: a: args: a text or a number is needed'],
    ['machines: { a: { program: p, env: [A=1] } }', '1:35: a: env: a mapping from names to texts is needed'],
    ['machines: { a: { program: p, env: { A: [1] } } }', '1:35: a: env: A: a text is needed'],
    ['machines: { a: { program: } }', '1:27: a: program: a text or a number is needed'],
    ['machines: { a: { program: p, engine: steam } }', '1:38: a: engine: "steam" is not one of interpreted, blocks, regions, wasm, auto, virtualized, traced'],
    ['machines: { a: { program: p, isa: arm } }', '1:35: a: isa: "arm" is not one of powerpc, i386, x86-64'],
    ['machines: { a: { program: p, memory-limit: lots } }', '1:44: a: memory-limit: "lots" is not a size such as 8M'],
    ['machines: { a: { program: p, memory-limit: 1.5M } }', '1:44: a: memory-limit: "1.5M" is not a size such as 8M'],
    ['machines: { a: { program: p, wall-limit: 0 } }', '1:42: a: wall-limit: "0" is not a time such as 10s, 500ms or 2m'],
    ['machines: { a: { program: p, cpu-limit: 3 days } }', '1:41: a: cpu-limit: "3 days" is not a time such as 10s, 500ms or 2m'],
    ['machines: { a: { program: p, cpu-share: -1 } }', '1:41: a: cpu-share: "-1" is not a positive number'],
    ['defaults: { engin: auto }\nmachines: { a: { program: p } }', '1:13: defaults: there is no key "engin"; did you mean "engine"?'],
  ];
  test.each(mistakes)('%j is wrong, and it is said where', (text, ...problems) => {
    expect(parse(text).problems).toEqual(problems.map((problem) => `/somewhere/machines.yaml:${problem}`));
  });

  test('that is no YAML, or has a key twice, is told with its place', () => {
    expect(parse('machines: {').problems).toEqual([expect.stringMatching(/^\/somewhere\/machines\.yaml:1:12: .+/)]);
    expect(parse('machines:\n  a: { program: p }\n  a: { program: q }\n').problems).toEqual([
      expect.stringMatching(/^\/somewhere\/machines\.yaml:3:3: .*unique/),
    ]);
  });

  test('has all its mistakes told at once, in its order', () => {
    const { problems } = parse('machines:\n  a: { engine: no }\n  b: { cpu-share: no }\ndefaults: { isa: no }\n');
    expect(problems.map((problem) => problem.split(':')[1])).toEqual(['2', '3', '4']);
  });
});

test('what holds where nothing is said is what the table says', () => {
  expect(machineDefaults()).toEqual({
    engine: 'auto',
    memoryLimit: 512 << 20,
    cpuShare: 1,
    cpuLimit: Number.POSITIVE_INFINITY,
    wallLimit: Number.POSITIVE_INFINITY,
    outputLimit: Number.POSITIVE_INFINITY,
  });
});
