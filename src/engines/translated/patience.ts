/** What keeps a program that may be short from being translated (Policy.patience). */
import type { Interpreter } from '../../../translators/ir/interpreter.ts';
import { header, type State } from '../../../translators/ir/state.ts';

const instructionsIndex = header.instructions >> 3;

export class Patience {
  private readonly state: State;
  private readonly interpreter: Interpreter;
  /** Guest instructions after which there is none. */
  private end: number;
  /** Blocks that became hot before. */
  private readonly waiting: number[] = [];

  /** @param instructions that the interpreter runs before anything is translated */
  constructor(instructions: number, state: State, interpreter: Interpreter) {
    this.end = instructions;
    this.state = state;
    this.interpreter = interpreter;
  }

  /** Translations are made at once from now on: with the first one most of their cost was paid. */
  lose(): void {
    this.end = 0;
  }

  /** A block is hot. @returns whether it waits to be translated */
  takes(pc: number): boolean {
    const waits = this.left() > 0;
    if (waits) this.waiting.push(pc);
    return waits;
  }

  /** How many instructions the interpreter may run on: to where what waits is translated. */
  budget(): number {
    if (this.waiting.length === 0) return Number.POSITIVE_INFINITY;
    const left = this.left();
    if (left > 0) return left;
    for (const pc of this.waiting) this.interpreter.leaveAt(pc);
    this.waiting.length = 0;
    return Number.POSITIVE_INFINITY;
  }

  private left(): number {
    return this.end - this.state.f64[instructionsIndex];
  }
}
