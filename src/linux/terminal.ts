/** termios of the guest's ABI and of the host: the same flags and characters under other numbers. */
import type { TerminalSettings } from '../host/host.ts';
import type { Abi, Constants, TerminalConstants } from './abi/abi.ts';

/** Linux's generic numbers (asm-generic/termbits.h), in which the host tells its settings. */
// biome-ignore format: one line per word of flags
const generic: TerminalConstants = {
  input: {
    IGNBRK: 0x1, BRKINT: 0x2, IGNPAR: 0x4, PARMRK: 0x8, INPCK: 0x10, ISTRIP: 0x20, INLCR: 0x40, IGNCR: 0x80,
    ICRNL: 0x100, IUCLC: 0x200, IXON: 0x400, IXANY: 0x800, IXOFF: 0x1000, IMAXBEL: 0x2000, IUTF8: 0x4000,
  },
  output: {
    OPOST: 0x1, OLCUC: 0x2, ONLCR: 0x4, OCRNL: 0x8, ONOCR: 0x10, ONLRET: 0x20, OFILL: 0x40, OFDEL: 0x80,
    NL1: 0x100, CR1: 0x200, CR2: 0x400, TAB1: 0x800, TAB2: 0x1000, BS1: 0x2000, VT1: 0x4000, FF1: 0x8000,
  },
  control: {
    CS6: 0x10, CS7: 0x20, CSTOPB: 0x40, CREAD: 0x80, PARENB: 0x100, PARODD: 0x200, HUPCL: 0x400, CLOCAL: 0x800,
    CMSPAR: 0x40000000, CRTSCTS: 0x80000000,
  },
  local: {
    ISIG: 0x1, ICANON: 0x2, XCASE: 0x4, ECHO: 0x8, ECHOE: 0x10, ECHOK: 0x20, ECHONL: 0x40, NOFLSH: 0x80,
    TOSTOP: 0x100, ECHOCTL: 0x200, ECHOPRT: 0x400, ECHOKE: 0x800, FLUSHO: 0x1000, PENDIN: 0x4000, IEXTEN: 0x8000,
    EXTPROC: 0x10000,
  },
  characters: {},
};

/** Speeds: CBAUD's 4 bits for 50 to 38400; above, bits differ: generic 0o10001 and on, PowerPC 0o20 and on. */
const genericSpeedMask = 0x100f;
const genericExtended = 0x1000;

function translate(value: number, from: Constants, to: Constants): number {
  let result = 0;
  for (const name in from) {
    if ((value & from[name]) !== 0 && to[name] !== undefined) result |= to[name];
  }
  return result >>> 0;
}

/** Fields of the guest's struct termios. */
export type TerminalFields = Record<string, number | number[]>;

/** The host's settings as values of the guest's struct termios. */
export function toGuest(abi: Abi, settings: TerminalSettings): TerminalFields {
  const { termios } = abi;
  const characters: number[] = new Array(abi.structures.termios.fields.c_cc.count).fill(0);
  for (const name in termios.characters) characters[termios.characters[name]] = settings.characters[name] ?? 0;
  const speed = settings.control & genericSpeedMask;
  const guestSpeed = (speed & genericExtended) !== 0 ? (speed & 0xf) + 0xf : speed;
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
  const guestSpeed = fields.c_cflag & 0xff;
  const speed = guestSpeed > 0xf ? genericExtended | (guestSpeed - 0xf) : guestSpeed;
  return {
    input: translate(fields.c_iflag, termios.input, generic.input),
    output: translate(fields.c_oflag, termios.output, generic.output),
    control: translate(fields.c_cflag, termios.control, generic.control) | speed,
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
