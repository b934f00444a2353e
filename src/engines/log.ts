/** What the engines write to the log (`-d`). */
import type { Fetch, Frontend } from '../../translators/frontend.ts';
import { printBlock } from '../../translators/ir/printer.ts';
import type { Block, Unit } from '../../translators/ir/unit.ts';
import type { EngineOptions } from './engine.ts';
import { codeFetcher } from './guest-code.ts';

/** Logs the guest code (in_asm) and the IR (op) of a unit's blocks. */
export function logBlock(unit: Unit, options: EngineOptions): void {
  const { log, symbolAt } = options.host;
  if (log === undefined) return;
  const fetch = codeFetcher(options.memory);
  for (const block of unit.blocks) {
    const symbol = symbolAt(block.pc);
    const name = symbol === undefined ? '' : ` (${symbol.name}+0x${(block.pc - symbol.start).toString(16)})`;
    log('in_asm', `IN: 0x${address(block.pc)}${name}`);
    for (const line of disassembleBlock(options.frontend, fetch, block)) log('in_asm', line);
    log('op', printBlock(unit, block, options.frontend));
  }
}

function disassembleBlock(frontend: Frontend, fetch: Fetch, block: Block): string[] {
  const lines: string[] = [];
  for (let pc = block.pc; pc < block.endPc; ) {
    const { text, length } = frontend.disassemble(fetch, pc);
    lines.push(`0x${address(pc)}:  ${text}`);
    pc += length;
  }
  return lines;
}

const address = (pc: number): string => pc.toString(16).padStart(8, '0');
