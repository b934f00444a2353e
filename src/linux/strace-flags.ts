/** Names of flags and numbers as strace prints them. */
import type { Abi, Constants } from './abi/abi.ts';
import { fcntlCommands } from './files-open.ts';
import { atFlags } from './stat.ts';

export const atNames: Constants = {
  AT_SYMLINK_NOFOLLOW: atFlags.SYMLINK_NOFOLLOW,
  AT_REMOVEDIR: atFlags.REMOVEDIR,
  AT_SYMLINK_FOLLOW: atFlags.SYMLINK_FOLLOW,
  AT_NO_AUTOMOUNT: atFlags.NO_AUTOMOUNT,
  AT_EMPTY_PATH: atFlags.EMPTY_PATH,
};
export const protectionNames: Constants = {
  PROT_READ: 1,
  PROT_WRITE: 2,
  PROT_EXEC: 4,
  PROT_GROWSDOWN: 0x01000000,
};
export const accessNames: Constants = { R_OK: 4, W_OK: 2, X_OK: 1 };
export const clockNames: readonly string[] = [
  'CLOCK_REALTIME',
  'CLOCK_MONOTONIC',
  'CLOCK_PROCESS_CPUTIME_ID',
  'CLOCK_THREAD_CPUTIME_ID',
  'CLOCK_MONOTONIC_RAW',
  'CLOCK_REALTIME_COARSE',
  'CLOCK_MONOTONIC_COARSE',
  'CLOCK_BOOTTIME',
];
export const whenceNames: readonly string[] = ['SEEK_SET', 'SEEK_CUR', 'SEEK_END', 'SEEK_DATA', 'SEEK_HOLE'];

/** `A|B|0x40`: names of bits, and what is left over as a number; `zero` when nothing is set. */
export function formatFlags(value: number, names: Constants, zero = '0', prefix = ''): string {
  const found = new Set<string>();
  let rest = value;
  // Wider flags first: O_SYNC holds the bit of O_DSYNC.
  for (const [name, bits] of Object.entries(names).sort((a, b) => b[1] - a[1])) {
    if (bits === 0 || (rest & bits) !== bits) continue;
    found.add(name);
    rest &= ~bits;
  }
  const parts = Object.keys(names)
    .filter((name) => found.has(name))
    .map((name) => prefix + name);
  if (rest !== 0) parts.push(`0x${(rest >>> 0).toString(16)}`);
  return parts.length === 0 ? zero : parts.join('|');
}

/** Flags of open: the access mode always has a name. */
export function formatOpenFlags(abi: Abi, flags: number): string {
  const { WRONLY: _w, RDWR: _r, ...others } = abi.open;
  const mode = ['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_ACCMODE'][flags & 3];
  const rest = formatFlags(flags & ~3, others, '', 'O_');
  return rest === '' ? mode : `${mode}|${rest}`;
}

export function formatMapFlags(abi: Abi, flags: number): string {
  const { SHARED, PRIVATE, SHARED_VALIDATE, ...others } = abi.map;
  const type = { [SHARED]: 'MAP_SHARED', [PRIVATE]: 'MAP_PRIVATE', [SHARED_VALIDATE]: 'MAP_SHARED_VALIDATE' }[
    flags & 3
  ];
  const rest = formatFlags(flags & ~3, others, '', 'MAP_');
  return [type ?? String(flags & 3), rest].filter((part) => part !== '').join('|');
}

/** The name of a number, or the number in hexadecimal. */
export function nameOf(value: number, names: Constants): string {
  const found = Object.entries(names).find(([, number]) => number === value);
  return found === undefined ? `0x${(value >>> 0).toString(16)}` : found[0];
}

export const fcntlName = (command: number): string => nameOf(command, fcntlCommands);
