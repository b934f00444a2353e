/** termios of the guest's ABI and of the host: the same flags and characters under other numbers. */
import type { TerminalSettings } from '../host/host.ts';
import type { Abi, Constants, TerminalConstants } from './abi/abi.ts';
import { genericTerminal as generic } from './abi/terminal-constants.ts';

/** Speeds are counted from 1 (50 baud) to 15 (38400), the ones above again from 1. */
const speedNumber = 0xf;

function translate(value: number, from: Constants, to: Constants): number {
  let result = 0;
  for (const name in from) {
    if ((value & from[name]) !== 0 && to[name] !== undefined) result |= to[name];
  }
  return result >>> 0;
}

/** The bits of c_cflag that hold the speed. */
function translateSpeed(control: number, from: TerminalConstants, to: TerminalConstants): number {
  const speed = control & from.speedMask;
  return speed > speedNumber ? speed - from.extendedSpeed + to.extendedSpeed : speed;
}

/** Fields of the guest's struct termios. */
export type TerminalFields = Record<string, number | number[]>;

/** The host's settings as values of the guest's struct termios. */
export function toGuest(abi: Abi, settings: TerminalSettings): TerminalFields {
  const { termios } = abi;
  const characters: number[] = new Array(abi.structures.termios.fields.c_cc.count).fill(0);
  for (const name in termios.characters) characters[termios.characters[name]] = settings.characters[name] ?? 0;
  const guestSpeed = translateSpeed(settings.control, generic, termios);
  return {
    c_iflag: translate(settings.input, generic.input, termios.input),
    c_oflag: translate(settings.output, generic.output, termios.output),
    c_cflag: translate(settings.control, generic.control, termios.control) | guestSpeed,
    c_lflag: translate(settings.local, generic.local, termios.local),
    c_cc: characters,
    c_ispeed: guestSpeed,
    c_ospeed: guestSpeed,
  };
}

/** The guest's settings in the host's numbers. @param characters c_cc */
export function fromGuest(abi: Abi, fields: Record<string, number>, characters: Uint8Array): TerminalSettings {
  const { termios } = abi;
  return {
    input: translate(fields.c_iflag, termios.input, generic.input),
    output: translate(fields.c_oflag, termios.output, generic.output),
    control:
      translate(fields.c_cflag, termios.control, generic.control) | translateSpeed(fields.c_cflag, termios, generic),
    local: translate(fields.c_lflag, termios.local, generic.local),
    characters: Object.fromEntries(
      Object.entries(termios.characters).map(([name, index]) => [name, characters[index]]),
    ),
  };
}

/** What a terminal is set to when the host cannot tell: as after `stty sane`. */
export const saneSettings: TerminalSettings = {
  input: 0x500,
  output: 0x5,
  control: 0xbf,
  local: 0x8a3b,
  // biome-ignore format: as stty prints them
  characters: {
    VINTR: 3, VQUIT: 28, VERASE: 127, VKILL: 21, VEOF: 4, VTIME: 0, VMIN: 1, VSTART: 17, VSTOP: 19, VSUSP: 26,
    VREPRINT: 18, VDISCARD: 15, VWERASE: 23, VLNEXT: 22,
  },
};
