/** The terminal: what programs read of what is typed, and what is shown, as Linux's line discipline has it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Terminal } from '../../src/browser/terminal.ts';
import { genericTerminal } from '../../src/linux/abi/terminal-constants.ts';

const { input: iflag, output: oflag, local: lflag } = genericTerminal;

let terminal: Terminal;
let shown: string;
let signals: number[];
beforeEach(() => {
  shown = '';
  signals = [];
  const decoder = new TextDecoder();
  terminal = new Terminal({
    show: (bytes) => {
      shown += decoder.decode(bytes, { stream: true });
    },
    signal: (signal) => signals.push(signal),
  });
});

const type = (text: string): void => terminal.type(new TextEncoder().encode(text));
/** What a read gives; null: a program would have to wait. */
function read(size = 100): string | null {
  const buffer = new Uint8Array(size);
  const count = terminal.read(buffer);
  return count === undefined ? null : new TextDecoder().decode(buffer.subarray(0, count));
}
function set(changes: Partial<typeof terminal.settings>): void {
  terminal.change({ ...terminal.settings, ...changes });
}
/** As programs that want keys: cfmakeraw(3). */
function makeRaw(characters: Record<string, number> = {}): void {
  set({
    input: 0,
    output: 0,
    local: 0,
    characters: { ...terminal.settings.characters, VMIN: 1, VTIME: 0, ...characters },
  });
}

describe('lines', () => {
  test('come whole, one for each read, and are shown while they are typed', () => {
    type('he');
    expect(read()).toBeNull();
    type('llo\rworld\r');
    expect(shown).toBe('hello\r\nworld\r\n');
    expect(read()).toBe('hello\n');
    expect(read(3)).toBe('wor');
    expect(read()).toBe('ld\n');
    expect(read()).toBeNull();
  });
  test.each([
    ['a character', 'abc\x7f\x7fd\r', 'ad\n', 'abc\b \b\b \bd\r\n'],
    ['a character of several bytes', 'aé\x7f\r', 'a\n', 'aé\b \b\r\n'],
    ['a word', 'one two  \x17three\r', 'one three\n', `one two  ${'\b \b'.repeat(5)}three\r\n`],
    ['everything', 'abc\x15d\r', 'd\n', `abc${'\b \b'.repeat(3)}d\r\n`],
    ['no more than there is', '\x7f\x7fa\r', 'a\n', 'a\r\n'],
    ['a control character, shown as two', 'a\x16\x03\x7f\r', 'a\n', 'a^C\b \b\b \b\r\n'],
  ])('erase %s', (_what, typed, line, echo) => {
    type(typed);
    expect(read()).toBe(line);
    expect(shown).toBe(echo);
  });
  test('end of file: at once after a line, as what was typed of one else', () => {
    type('\x04');
    expect(read()).toBe('');
    type('ab\x04');
    expect(read()).toBe('ab');
    expect(read()).toBeNull();
  });
  test('a key stands for itself after ^V', () => {
    type('\x16\x04\x16\x7f\r');
    expect(read()).toBe('\x04\x7f\n');
  });
  test('no longer than 4095 bytes and its end', () => {
    type(`${'x'.repeat(5000)}\r`);
    expect(read(10_000)).toHaveLength(4096);
  });
  test('^R shows the line again', () => {
    type('ab\x12');
    expect(shown).toBe('ab^R\r\nab');
  });
});

describe('signals', () => {
  test('^C, ^\\ and ^Z send theirs, and what was typed is gone', () => {
    type('line\rabc\x03\x1c\x1a');
    expect(signals).toEqual([2, 3, 20]);
    expect(shown).toBe('line\r\nabc^C^\\^Z');
    expect(read()).toBeNull();
    type('\r');
    expect(read()).toBe('\n');
  });
  test('NOFLSH keeps what was typed', () => {
    set({ local: terminal.settings.local | lflag.NOFLSH });
    type('ab\x03c\r');
    expect(read()).toBe('abc\n');
  });
});

describe('settings', () => {
  test('raw: every key at once, not shown, no signals', () => {
    makeRaw();
    type('a\x03\r\x7f');
    expect([signals, shown]).toEqual([[], '']);
    expect(read()).toBe('a\x03\r\x7f');
    expect(read()).toBeNull();
  });
  test('VMIN bytes are waited for, but no more than are asked for', () => {
    makeRaw({ VMIN: 3 });
    type('ab');
    expect(read()).toBeNull();
    expect(read(2)).toBe('ab');
    type('cde');
    expect(read()).toBe('cde');
  });
  test('VMIN 0: what is there, or nothing', () => {
    makeRaw({ VMIN: 0 });
    expect(read()).toBe('');
    type('a');
    expect(read()).toBe('a');
  });
  test('VTIME: a read ends without a key', async () => {
    makeRaw({ VMIN: 0, VTIME: 1 });
    const buffer = new Uint8Array(10);
    expect(await terminal.readWaiting(buffer)).toBe(0);
    const waiting = terminal.readWaiting(buffer);
    type('k');
    expect(await waiting).toBe(1);
  });
  test('without ECHO only ECHONL’s line end is shown', () => {
    set({ local: terminal.settings.local & ~lflag.ECHO });
    type('secret\r');
    expect(shown).toBe('');
    set({ local: terminal.settings.local | lflag.ECHONL });
    type('secret\r');
    expect(shown).toBe('\r\n');
  });
  test('carriage returns and line feeds of input', () => {
    const { input } = terminal.settings;
    set({ input: (input & ~iflag.ICRNL) | iflag.INLCR });
    type('a\r\n\x04');
    expect(read()).toBe('a\r\r');
    set({ input: input | iflag.IGNCR | iflag.ISTRIP });
    terminal.type(Uint8Array.of(0xe1, 0x0d, 0x0a));
    expect(read()).toBe('a\n');
  });
  test('what was typed of a line can be read when lines end to matter, and is one when they begin to', () => {
    type('ab');
    makeRaw();
    expect(read()).toBe('ab');
    type('cd');
    set({ local: lflag.ICANON });
    expect(read()).toBe('cd');
  });
  test('output as it is without OPOST; OCRNL', () => {
    const write = (text: string) => terminal.write(new TextEncoder().encode(text));
    expect(write('a\nb')).toBe(3);
    set({ output: oflag.OPOST | oflag.OCRNL });
    write('c\r\n');
    set({ output: 0 });
    write('d\n');
    expect(shown).toBe('a\r\nbc\n\nd\n');
  });
});

test('a read waits for the next line', async () => {
  const buffer = new Uint8Array(10);
  const waiting = terminal.readWaiting(buffer);
  type('x');
  type('y\r');
  expect(await waiting).toBe(3);
  expect([...buffer.subarray(0, 3)]).toEqual([0x78, 0x79, 0x0a]);
});
