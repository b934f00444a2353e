/** What capstone says about x86 code, in a form that can be compared with our disassembler's. */
import { createRequire } from 'node:module';

interface Library {
  readonly ARCH_X86: number;
  readonly MODE_32: number;
  readonly MODE_64: number;
  readonly Capstone: new (
    architecture: number,
    mode: number,
  ) => { disasm(bytes: number[], address: number): { mnemonic: string; op_str: string; size: number }[] };
}

export interface Disassembled {
  /** With prefixes, blanks between; '' when there is no instruction. */
  readonly mnemonic: string;
  readonly operands: string;
  readonly length: number;
}

/** Capstone for one mode, as a function of the bytes of one instruction and its address. */
export async function loadCapstone(mode: 32 | 64): Promise<(bytes: readonly number[], pc: number) => Disassembled> {
  // The package is an Emscripten module without types.
  const library = await (createRequire(import.meta.url)('@alexaltea/capstone-js') as () => Promise<Library>)();
  const capstone = new library.Capstone(library.ARCH_X86, mode === 64 ? library.MODE_64 : library.MODE_32);
  return (bytes, pc) => {
    try {
      const [found] = capstone.disasm([...bytes], pc);
      if (found !== undefined) return { mnemonic: found.mnemonic, operands: found.op_str, length: found.size };
    } catch {
      // It throws when there is no instruction.
    }
    return { mnemonic: '', operands: '', length: 0 };
  };
}

/** Splits our text as capstone's fields are. */
export function splitText(text: string): Omit<Disassembled, 'length'> {
  const [, mnemonic, operands] = /^((?:(?:lock|rep|repe|repne) )*\S+) *(.*)$/.exec(text) ?? ['', '', ''];
  return { mnemonic, operands };
}

/** What is to be left out of the comparison of operands. */
export interface Leniency {
  /** Sizes of memory operands. */
  readonly sizes: boolean;
}

/**
 * Operands in one form: no blanks, numbers decimal; addresses relative to the next instruction absolute, no index that is
 * none, no segment that is the default one.
 */
function normalized(operands: string, mode: 32 | 64, next: number, { sizes }: Leniency): string {
  return operands
    .toLowerCase()
    .replaceAll('ptr ', '')
    .replaceAll('xword', 'tbyte')
    .replace(sizes ? /\b([fdq]?word|byte|tbyte|xmmword) /g : /$^/g, '')
    .replace(/\bst\b(?!\()/g, 'st(0)')
    .replace(/ \+ [re]iz(\*\d)?|[re]iz(\*\d)?( \+ )?/g, '')
    .replace(/\*1\b/g, '')
    .replace(mode === 64 ? /\b[ecsd]s:/g : /\bds:/g, '')
    .replace(/([re])ip ([-+]) (\w+)/g, (_, letter, sign, value) => {
      const sum = BigInt(next) + (sign === '-' ? -BigInt(value) : BigInt(value));
      return `${BigInt.asUintN(letter === 'r' ? 64 : 32, sum)}`;
    })
    .replaceAll(' ', '')
    .replace(/0x[0-9a-f]+/g, (number) => `${BigInt(number)}`)
    .replace(/^(\d+):(\d+)$/, '$1,$2');
}

/** Whether two numbers are the same in some number of bytes, the smaller one's. */
function sameNumber(a: string, b: string): boolean {
  if (!/^-?\d+$/.test(a) || !/^-?\d+$/.test(b)) return false;
  const [x, y] = [BigInt.asUintN(64, BigInt(a)), BigInt.asUintN(64, BigInt(b))];
  const low = x < y ? x : y;
  const bits = [8, 16, 32, 64].find((width) => low >> BigInt(width) === 0n) ?? 64;
  return BigInt.asUintN(bits, x) === BigInt.asUintN(bits, y);
}

/** Whether two texts of operands say the same of an instruction before `next`. */
export function sameOperands(ours: string, theirs: string, mode: 32 | 64, next: number, lenient: Leniency): boolean {
  const parts = (text: string): string[] =>
    normalized(text, mode, next, lenient)
      .split(/(-?\d+|[^\d-]+)/)
      .filter((part) => part !== '');
  const [a, b] = [parts(ours), parts(theirs)];
  return a.length === b.length && a.every((part, n) => part === b[n] || sameNumber(part, b[n]));
}
