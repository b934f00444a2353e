/** Whether a thread is out of the default floating-point mode, for which translations are lifted. */
import type { Frontend } from '../../../translators/frontend.ts';
import type { State } from '../../../translators/ir/state.ts';

/** Blocks that are interpreted outside of the default mode before everything is translated exactly. */
const stepLimit = 20_000;

export class FloatingPointMode {
  private readonly words: Int32Array;
  private readonly index: number;
  private readonly mask: number;
  private readonly requireExact: () => void;
  /** The guest left the default mode, and has not been seen back. */
  private isLeft = false;
  /** Blocks that were interpreted because of that. */
  private steps = 0;

  /** @param requireExact called once the guest has stayed away for long: everything is to be translated exactly instead */
  constructor({ floatingPointControl: { register, mask } }: Frontend, state: State, requireExact: () => void) {
    this.requireExact = requireExact;
    this.words = state.i32;
    this.index = state.register(register).index;
    this.mask = mask;
  }

  /** The guest may have left the default mode. */
  noteChange(): void {
    this.isLeft = true;
  }

  /**
   * Whether the guest is out of the default mode still, so that translations that were lifted for that mode must not run.
   * @param isExact everything is translated exactly
   */
  needsInterpreter(isExact: boolean): boolean {
    if (!this.isLeft) return false;
    this.isLeft = !isExact && (this.words[this.index] & this.mask) !== 0;
    if (this.isLeft && ++this.steps === stepLimit) {
      this.isLeft = false;
      this.requireExact();
    }
    return this.isLeft;
  }
}
