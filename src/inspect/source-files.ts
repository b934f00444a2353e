/** Source lines of guest code, with files by number. */
import type { Places } from '../diagnostics/places.ts';
import type { GuestInstruction } from './collector.ts';

/** From a guest instruction on, a line of a file; -1 and 0 where no line is known. */
export type SourceRun = readonly [pc: number, file: number, line: number];

export class SourceFiles {
  /** By number. */
  readonly names: string[] = [];
  private readonly numbers = new Map<string, number>();
  private readonly places: Places;

  constructor(places: Places) {
    this.places = places;
  }

  /** Where the line changes among consecutive instructions; empty where none has a line. */
  runsOf(instructions: readonly GuestInstruction[]): SourceRun[] {
    const runs: SourceRun[] = [];
    for (const { pc } of instructions) {
      const found = this.places.lineAt?.(pc);
      const [file, line] = found === undefined ? [-1, 0] : [this.numberOf(found.file), found.line];
      const last = runs.at(-1);
      if (last?.[1] !== file || last[2] !== line) runs.push([pc, file, line]);
    }
    return runs.some(([, file]) => file >= 0) ? runs : [];
  }

  private numberOf(name: string): number {
    let number = this.numbers.get(name);
    if (number === undefined) {
      number = this.names.length;
      this.numbers.set(name, number);
      this.names.push(name);
    }
    return number;
  }
}
