/** Runs cases on an engine and compares the outcomes with the processor's. */
import type { EngineName } from '../../../src/engines/create-engine.ts';
import { decoderOf } from '../../../translators/x86/decode.ts';
import { instructionText } from '../../../translators/x86/disassemble.ts';
import { Instruction } from '../../../translators/x86/instruction.ts';
import type { Case, Outcome } from './case.ts';
import { differences } from './compare.ts';
import { decodeCase } from './generate.ts';
import { CaseMachine } from './machine.ts';
import type { Batch } from './sample.ts';

const hexadecimal = (one: Case): string =>
  Buffer.from(one.code)
    .toString('hex')
    .replace(/(cc)+$/, '');

export class Comparison {
  private readonly mode: 32 | 64;
  private readonly name: string;
  private readonly machine: CaseMachine;
  private readonly instruction: Instruction;
  /** Cases compared. */
  count = 0;

  /** @param looks the program has looked at MXCSR, so that engines are exact about it */
  constructor(mode: 32 | 64, name: EngineName, looks: boolean) {
    this.mode = mode;
    this.name = looks ? `${name} exactly` : name;
    this.machine = new CaseMachine(mode, name, looks);
    this.instruction = new Instruction(mode);
  }

  /** A line for each case that differs from what the processor did. */
  compare({ cases, rows }: Batch, native: readonly Outcome[]): string[] {
    const { machine, mode, instruction } = this;
    const failures: string[] = [];
    machine.load(cases);
    for (const [n, one] of cases.entries()) {
      this.count++;
      let found: string[];
      try {
        const ours = machine.run(one);
        decodeCase(decoderOf(mode), instruction, one);
        found = differences(instruction, mode, one, ours, native[n], machine.exact);
      } catch (error) {
        found = [(error as Error).stack ?? String(error)];
      }
      if (found.length === 0) continue;
      decodeCase(decoderOf(mode), instruction, one);
      const [encoding, , operands] = rows[n].row;
      const what = `${hexadecimal(one)} ${instructionText(instruction)} (${encoding} ${operands})`;
      failures.push(`${mode} ${this.name}: ${what}: ${found.join('; ')}`);
    }
    return failures;
  }

  close(): void {
    this.machine.close();
  }
}
