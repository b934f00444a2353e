/** Terminal settings in the form that `stty -g` prints and takes, which carries a whole termios. */
import type { TerminalSettings } from './host.ts';

/** Order of c_cc in Linux's generic termios. */
const characterOrder =
  'VINTR VQUIT VERASE VKILL VEOF VTIME VMIN VSWTC VSTART VSTOP VSUSP VEOL VREPRINT VDISCARD VWERASE VLNEXT VEOL2'.split(
    ' ',
  );

/** Characters that glibc's termios has room for. */
const characterCount = 32;

/** @param text input, output, control and local flags and the control characters, in hexadecimal, colons between */
export function parseTerminalSettings(text: string): TerminalSettings | undefined {
  const words = text.trim().split(':');
  if (words.length < 4 + characterOrder.length) return undefined;
  const numbers = words.map((word) => Number.parseInt(word, 16));
  if (numbers.some(Number.isNaN)) return undefined;
  const [input, output, control, local, ...rest] = numbers;
  return {
    input,
    output,
    control,
    local,
    characters: Object.fromEntries(characterOrder.map((name, index) => [name, rest[index]])),
  };
}

export function formatTerminalSettings(settings: TerminalSettings): string {
  const characters = Array.from(
    { length: characterCount },
    (_, index) => settings.characters[characterOrder[index]] ?? 0,
  );
  return [settings.input, settings.output, settings.control, settings.local, ...characters]
    .map((number) => (number >>> 0).toString(16))
    .join(':');
}
