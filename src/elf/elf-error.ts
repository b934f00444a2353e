/** A file that cannot be run because of what stands in it; the message names the field, its value and where it is. */
export class ElfError extends Error {
  /** The field as elf.h spells it, with an index for a program header: `p_filesz of program header 2`. */
  readonly field: string;
  /** Offset of the field in the file, in bytes. */
  readonly offset: number;

  constructor(field: string, offset: number, problem: string) {
    super(`${field} (at file offset ${offset}) ${problem}`);
    this.name = 'ElfError';
    this.field = field;
    this.offset = offset;
  }
}

/** A number as ELF tools print it. */
export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
