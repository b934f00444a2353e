/** The page's terminal emulator: one for as long as the page is open, whichever tab is shown. */
import { FitAddon } from '@xterm/addon-fit';
import { type ITheme, Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import type { WindowSize } from '../../src/host/host.ts';

/** The 16 colours, dark enough for a light page and the other way round; the emulator sees to their contrast. */
const colours: Readonly<Record<'light' | 'dark', ITheme>> = {
  light: {
    black: '#20242a',
    red: '#b3261e',
    green: '#1a7368',
    yellow: '#8a5a00',
    blue: '#0a5fb4',
    magenta: '#8a3ca8',
    cyan: '#00697a',
    white: '#626a74',
    brightBlack: '#727b86',
    brightRed: '#d03b32',
    brightGreen: '#23907f',
    brightYellow: '#a56d00',
    brightBlue: '#1668c1',
    brightMagenta: '#a155c0',
    brightCyan: '#0a8294',
    brightWhite: '#20242a',
  },
  dark: {
    black: '#2c3239',
    red: '#ff8a80',
    green: '#73cdbf',
    yellow: '#f0c36b',
    blue: '#6db3f8',
    magenta: '#cf9be6',
    cyan: '#6fd3e0',
    white: '#dfe3e8',
    brightBlack: '#727b86',
    brightRed: '#ffb1aa',
    brightGreen: '#9be3d8',
    brightYellow: '#ffdf9b',
    brightBlue: '#a3d0ff',
    brightMagenta: '#e4c0f4',
    brightCyan: '#a3e9f2',
    brightWhite: '#ffffff',
  },
};

class PageTerminal {
  onInput: (text: string) => void = () => {};
  onSize: (size: WindowSize) => void = () => {};
  private readonly emulator: Terminal;
  private readonly fit = new FitAddon();
  private readonly element = document.createElement('div');
  private isRunning = false;

  constructor() {
    this.emulator = new Terminal({
      fontFamily:
        'ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
      fontSize: 13,
      scrollback: 10_000,
      minimumContrastRatio: 4.5,
      cursorBlink: false,
    });
    this.emulator.loadAddon(this.fit);
    this.element.className = 'emulator';
    this.emulator.onData((text) => {
      if (this.isRunning) this.onInput(text);
    });
    this.emulator.onResize(({ rows, cols }) => this.onSize({ rows, columns: cols }));
    // Tab is the program's while it runs; otherwise, and with Shift, it leaves the terminal like any other place.
    this.emulator.attachCustomKeyEventHandler(({ key, shiftKey }) => key !== 'Tab' || (this.isRunning && !shiftKey));
  }

  get size(): WindowSize {
    return { rows: this.emulator.rows, columns: this.emulator.cols };
  }

  /** Shows the terminal in an element. @returns a function that takes it out again */
  attach(parent: HTMLElement): () => void {
    parent.append(this.element);
    if (this.emulator.element === undefined) this.emulator.open(this.element);
    const observer = new ResizeObserver(() => this.fit.fit());
    observer.observe(parent);
    return () => {
      observer.disconnect();
      this.element.remove();
    };
  }

  /** Follows the page's colours. */
  dress(theme: 'light' | 'dark'): void {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    this.emulator.options.theme = {
      ...colours[theme],
      background: colour('--sunken'),
      foreground: colour('--text'),
      cursor: colour('--accent'),
      selectionBackground: colour('--selected'),
    };
  }

  /** A program starts: an empty screen, and the keys are its own. */
  begin(): void {
    this.emulator.reset();
    this.isRunning = true;
    this.emulator.focus();
  }

  end(): void {
    this.isRunning = false;
    // What the program left switched on, once all of its output was read: mouse reports, a hidden cursor, colours.
    this.emulator.write('', () => {
      if (this.emulator.buffer.active.type === 'alternate') this.emulator.write('\x1b[?1049l');
      this.emulator.write('\x1b[?1000;1002;1003l\x1b[?25h\x1b[0m');
    });
  }

  write(bytes: Uint8Array): void {
    this.emulator.write(bytes);
  }

  /** Shows lines of the page's own behind the program's output. */
  note(text: string): void {
    this.emulator.write('', () => {
      const isAtStart = this.emulator.buffer.active.cursorX === 0;
      this.emulator.write(`${isAtStart ? '' : '\r\n'}\x1b[0;31m${text.replaceAll('\n', '\r\n')}\x1b[0m\r\n`);
    });
  }

  /** What is on the screen and above it. */
  get text(): string {
    const { active } = this.emulator.buffer;
    let text = '';
    for (let row = 0; row < active.length; row++) {
      const line = active.getLine(row);
      if (row > 0 && !line?.isWrapped) text += '\n';
      text += line?.translateToString(!active.getLine(row + 1)?.isWrapped) ?? '';
    }
    return text.trimEnd();
  }
}

export const terminal = new PageTerminal();
