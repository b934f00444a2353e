/**
 * A terminal's line discipline: what lies between the keys that somebody presses and the bytes that a program reads, and
 * between what it writes and what is shown (termios(3), drivers/tty/n_tty.c). Bytes come and go by functions, so that a
 * terminal emulator or a test can be at the other end.
 */
import type { TerminalSettings, WindowSize } from '../host/host.ts';
import { genericTerminal } from '../linux/abi/terminal-constants.ts';
import { signalNumbers } from '../linux/signals.ts';
import { saneSettings } from '../linux/terminal.ts';

const { input: iflag, output: oflag, local: lflag } = genericTerminal;
const newline = 0x0a;
const carriageReturn = 0x0d;
const backspace = 0x08;
const tabulator = 0x09;
const space = 0x20;
const deleteCharacter = 0x7f;
/** What a control character that is 0 stands for: none (_POSIX_VDISABLE). */
const disabled = 0;
/** Bytes of a line that is not finished; what is more is not taken (N_TTY_BUF_SIZE). */
const lineMaximum = 4095;
/** Bytes typed ahead that a program did not read yet. */
const inputMaximum = 1 << 20;
/** VTIME counts tenths of a second, here in milliseconds. */
const timeUnit = 100;

export interface TerminalSide {
  /** Shows bytes. */
  show(bytes: Uint8Array): void;
  /** A key that stands for a signal was pressed. */
  signal(signal: number): void;
}

export class Terminal {
  settings: TerminalSettings = { ...saneSettings, characters: { ...saneSettings.characters } };
  size: WindowSize = { rows: 24, columns: 80 };
  private readonly side: TerminalSide;
  /** The line that is being typed. */
  private line: number[] = [];
  /** What programs can read; in canonical mode whole lines only. */
  private ready: number[] = [];
  /** How many bytes of `ready` each line has; only of those read in canonical mode. An empty one is an end of file. */
  private lines: number[] = [];
  private isNextLiteral = false;
  private waiting: (() => void)[] = [];

  constructor(side: TerminalSide) {
    this.side = side;
  }

  /** Takes what was typed, in UTF-8. */
  type(bytes: Uint8Array): void {
    for (const byte of bytes) this.receive(byte);
    this.wake();
  }

  change(settings: TerminalSettings): void {
    const wasCanonical = this.has(lflag.ICANON);
    this.settings = settings;
    // What was typed of a line becomes readable, and what is readable becomes a line.
    if (wasCanonical && !this.has(lflag.ICANON)) {
      this.ready.push(...this.line);
      this.line = [];
      this.lines = [];
    } else if (!wasCanonical && this.has(lflag.ICANON) && this.ready.length > 0) {
      this.lines = [this.ready.length];
    }
    this.wake();
  }

  /** Shows what a program writes. */
  write(bytes: Uint8Array): number {
    this.side.show(this.has(oflag.OPOST, 'output') ? this.processed(bytes) : bytes);
    return bytes.length;
  }

  /** Reads what is there. @returns bytes, 0 for the end of file, or undefined when a program has to wait */
  read(buffer: Uint8Array): number | undefined {
    if (this.has(lflag.ICANON)) {
      if (this.lines.length === 0) return undefined;
      const count = Math.min(buffer.length, this.lines[0]);
      this.lines[0] -= count;
      if (this.lines[0] === 0) this.lines.shift();
      return this.take(buffer, count);
    }
    const { VMIN: minimum, VTIME: time } = this.settings.characters;
    if (this.ready.length < Math.min(minimum, buffer.length)) return undefined;
    if (this.ready.length === 0 && time > 0) return undefined;
    return this.take(buffer, Math.min(buffer.length, this.ready.length));
  }

  /** Waits for what `read` gives. */
  async readWaiting(buffer: Uint8Array): Promise<number> {
    for (;;) {
      const count = this.read(buffer);
      if (count !== undefined) return count;
      const { VMIN: minimum, VTIME: time } = this.settings.characters;
      // With VTIME alone the time runs from the start, with VMIN from the first byte on.
      const isTimed = !this.has(lflag.ICANON) && time > 0 && (minimum === 0 || this.ready.length > 0);
      const isLate = await this.input(isTimed ? time * timeUnit : undefined);
      if (isLate) return this.take(buffer, Math.min(buffer.length, this.ready.length));
    }
  }

  /** Resolves when something happened, to false, or when a time in milliseconds has passed, to true. */
  private input(milliseconds: number | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(() => resolve(true), milliseconds);
      this.waiting.push(() => {
        clearTimeout(timer);
        resolve(false);
      });
    });
  }

  private wake(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }

  private has(flag: number, word: 'input' | 'output' | 'local' = 'local'): boolean {
    return (this.settings[word] & flag) !== 0;
  }

  private take(buffer: Uint8Array, count: number): number {
    buffer.set(this.ready.slice(0, count));
    this.ready = this.ready.slice(count);
    return count;
  }

  // -- output

  private processed(bytes: Uint8Array): Uint8Array {
    const { output } = this.settings;
    const result: number[] = [];
    for (const byte of bytes) {
      if (byte === newline && (output & oflag.ONLCR) !== 0) result.push(carriageReturn, newline);
      else if (byte === carriageReturn && (output & oflag.OCRNL) !== 0) result.push(newline);
      else result.push(byte);
    }
    return Uint8Array.from(result);
  }

  private echo(...bytes: number[]): void {
    this.side.show(this.has(oflag.OPOST, 'output') ? this.processed(Uint8Array.from(bytes)) : Uint8Array.from(bytes));
  }

  /** Shows a typed byte: control characters as ^X, where that is asked for. */
  private echoTyped(byte: number): void {
    if (!this.has(lflag.ECHO)) {
      if (byte === newline && this.has(lflag.ECHONL) && this.has(lflag.ICANON)) this.echo(byte);
      return;
    }
    if (this.isCaret(byte)) this.echo(0x5e, byte ^ 0x40);
    else this.echo(byte);
  }

  private isCaret(byte: number): boolean {
    const isControl = byte < space || byte === deleteCharacter;
    return isControl && byte !== newline && byte !== tabulator && this.has(lflag.ECHOCTL);
  }

  // -- input

  private receive(typed: number): void {
    if (this.ready.length >= inputMaximum) return;
    if (this.isNextLiteral) {
      this.isNextLiteral = false;
      this.accept(typed);
      return;
    }
    const byte = this.mapped(typed);
    if (byte === undefined) return;
    const { characters } = this.settings;
    const is = (name: string): boolean => byte === characters[name] && byte !== disabled;
    if (this.has(lflag.ISIG)) {
      const signal = is('VINTR')
        ? signalNumbers.SIGINT
        : is('VQUIT')
          ? signalNumbers.SIGQUIT
          : is('VSUSP')
            ? signalNumbers.SIGTSTP
            : 0;
      if (signal !== 0) {
        this.echoTyped(byte);
        if (!this.has(lflag.NOFLSH)) this.discard();
        this.side.signal(signal);
        return;
      }
    }
    if (!this.has(lflag.ICANON)) this.accept(byte);
    else if (is('VERASE') || (byte === backspace && characters.VERASE === deleteCharacter)) this.erase(1);
    else if (is('VKILL')) this.erase(this.line.length);
    else if (is('VWERASE') && this.has(lflag.IEXTEN)) this.eraseWord();
    else if (is('VEOF')) this.finish();
    else if (is('VLNEXT') && this.has(lflag.IEXTEN)) this.isNextLiteral = true;
    else if (is('VREPRINT') && this.has(lflag.IEXTEN)) this.reprint(byte);
    else if (byte === newline || is('VEOL') || is('VEOL2')) {
      this.echoTyped(byte);
      this.line.push(byte);
      this.finish();
    } else if (this.line.length < lineMaximum) this.accept(byte);
  }

  /** What input flags make of a byte; undefined: nothing. */
  private mapped(byte: number): number | undefined {
    const { input } = this.settings;
    const value = (input & iflag.ISTRIP) !== 0 ? byte & 0x7f : byte;
    if (value === carriageReturn) {
      if ((input & iflag.IGNCR) !== 0) return undefined;
      return (input & iflag.ICRNL) !== 0 ? newline : value;
    }
    return value === newline && (input & iflag.INLCR) !== 0 ? carriageReturn : value;
  }

  private accept(byte: number): void {
    this.echoTyped(byte);
    if (this.has(lflag.ICANON)) this.line.push(byte);
    else this.ready.push(byte);
  }

  /** The line that was typed can be read; an empty one is the end of file. */
  private finish(): void {
    this.lines.push(this.line.length);
    this.ready.push(...this.line);
    this.line = [];
  }

  private discard(): void {
    this.line = [];
    this.ready = [];
    this.lines = [];
  }

  private erase(count: number): void {
    for (let left = count; left > 0 && this.line.length > 0; left--) {
      let byte = this.line.pop() as number;
      const isCaret = this.isCaret(byte);
      // All bytes of a character in UTF-8.
      while ((byte & 0xc0) === 0x80 && this.line.length > 0) byte = this.line.pop() as number;
      if (!this.has(lflag.ECHO) || !this.has(lflag.ECHOE)) continue;
      for (let column = isCaret ? 2 : 1; column > 0; column--) this.echo(backspace, space, backspace);
    }
  }

  /** Erases spaces, and the word before them. */
  private eraseWord(): void {
    const isSpace = (byte: number | undefined) => byte === space || byte === tabulator;
    while (isSpace(this.line.at(-1))) this.erase(1);
    while (this.line.length > 0 && !isSpace(this.line.at(-1))) this.erase(1);
  }

  private reprint(byte: number): void {
    this.echoTyped(byte);
    this.echo(newline);
    for (const each of this.line) this.echoTyped(each);
  }
}
