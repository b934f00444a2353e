/** Linux's generic numbers of termios (asm-generic/termbits.h), which x86 has, and in which the host tells its settings. */
import type { TerminalConstants } from './abi.ts';

// biome-ignore format: one line per word of flags
export const genericTerminal: TerminalConstants = {
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
  speedMask: 0x100f,
  extendedSpeed: 0x1000,
};
