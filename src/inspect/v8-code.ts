/** Reads V8's listings of machine code (`--print-wasm-code`, `--print-opt-code`), line by line. */

export interface V8Instruction {
  /** From the function's start, in bytes. */
  readonly offset: number;
  /** As V8's disassembler writes it, without addresses that differ from run to run. */
  readonly text: string;
}

/** The code of a function. */
export interface V8Code {
  /** Of the function. */
  readonly name: string;
  /** TurboFan, turbofan, Liftoff. */
  readonly compiler: string;
  /** Without padding. */
  readonly instructions: readonly V8Instruction[];
  /** Where in the source code came from, by ascending offsets. Each holds up to the next. */
  readonly positions: readonly { readonly offset: number; readonly position: number }[];
  /** JavaScript: the text of the function behind its name, and where that begins in its script. */
  readonly source: string;
  readonly sourcePosition: number;
  /** Functions that V8 inlined into this one. */
  readonly inlined: number;
}

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

interface Draft extends Writable<Omit<V8Code, 'instructions' | 'positions'>> {
  readonly instructions: V8Instruction[];
  readonly positions: { offset: number; position: number }[];
}

/** Instruction: address, offset, bytes, text. */
const instructionLine = /^0x[\da-f]+ +([\da-f]+) {2}[\da-f]+ +(\S.*)$/;
const isPadding = (text: string): boolean => /^(?:nop|int3l)\b/.test(text);

/** One line of the part of a listing that has instructions; undefined for any other. */
export function instructionOf(line: string): V8Instruction | undefined {
  const match = instructionLine.exec(line);
  if (match === null) return undefined;
  const text = match[2]
    .replace('REX.W ', '')
    .replace(/0x[\da-f]+ +(?=<|\()/, '')
    .replace(/(?<=^(?:call|jmp) )0x[\da-f]+$/, '(stub)')
    .replace(/ +;; debug:.*/, '')
    .trimEnd();
  return isPadding(text) ? undefined : { offset: Number.parseInt(match[1], 16), text };
}

/** Bytes that instructions up to the last one take, as far as offsets tell. */
export const codeBytes = ({ instructions }: V8Code): number => instructions.at(-1)?.offset ?? 0;

export class ListingReader {
  private readonly use: (code: V8Code) => void;
  private draft: Draft | undefined;
  private part: 'head' | 'source' | 'instructions' | 'positions' | 'rest' = 'rest';
  private source: string[] = [];

  /** @param use is given the code of each function that has a name */
  constructor(use: (code: V8Code) => void) {
    this.use = use;
  }

  line(text: string): void {
    switch (text) {
      case '--- Raw source ---':
        this.source = [];
        this.part = 'source';
        return;
      case '--- WebAssembly code ---':
        this.source = [];
        this.begin();
        return;
      case '--- Optimized code ---':
        this.begin();
        return;
      case '--- End code ---':
        if (this.draft !== undefined && this.draft.name !== '') this.use(this.draft);
        this.draft = undefined;
        this.part = 'rest';
        return;
    }
    if (this.part === 'source') this.source.push(text);
    else if (this.draft !== undefined) this.inside(this.draft, text);
  }

  private begin(): void {
    // A blank line stands behind the source.
    const source = this.source.slice(0, -1).join('\n');
    this.draft = { name: '', compiler: '', instructions: [], positions: [], source, sourcePosition: 0, inlined: 0 };
    this.part = 'head';
  }

  private inside(draft: Draft, text: string): void {
    if (text.startsWith('Instructions (')) {
      this.part = 'instructions';
    } else if (text === 'Source positions:') {
      this.part = 'positions';
    } else if (text.startsWith('Inlined functions (count = ')) {
      draft.inlined = Number.parseInt(text.slice('Inlined functions (count = '.length), 10);
      this.part = 'rest';
    } else if (this.part === 'head') {
      const [, key, value] = /^(name|compiler|source_position)(?::| =) (.*)$/.exec(text) ?? [];
      if (key === 'source_position') draft.sourcePosition = Number(value);
      else if (key !== undefined) draft[key as 'name' | 'compiler'] = value;
    } else if (this.part === 'instructions') {
      if (text === '') this.part = 'rest';
      const instruction = instructionOf(text);
      if (instruction !== undefined) draft.instructions.push(instruction);
    } else if (this.part === 'positions') {
      if (text === '') this.part = 'rest';
      const match = /^ +([\da-f]+) +(\d+)/.exec(text);
      if (match !== null) draft.positions.push({ offset: Number.parseInt(match[1], 16), position: Number(match[2]) });
    }
  }
}
