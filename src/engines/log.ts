/** What the engines write to the log (`-d`). */

import type { Fetch, Frontend, Helper } from '../../translators/frontend.ts';
import { printBlock } from '../../translators/ir/printer.ts';
import type { Block, Unit } from '../../translators/ir/unit.ts';
import type { EmittedModule } from '../../translators/webassembly/emitted-module.ts';
import { printBody } from '../../translators/webassembly/printer.ts';
import { hex8, symbolicAddress } from '../diagnostics/places.ts';
import type { EngineHost, EngineOptions } from './engine.ts';
import { codeFetcher } from './guest-code.ts';

/** Logs the guest code (in_asm) and the IR (op) of a unit's blocks. @param frontend the one that they were lifted with */
export function logBlock(unit: Unit, { host, memory }: EngineOptions, frontend: Frontend): void {
  const { log } = host;
  if (log === undefined) return;
  const fetch = codeFetcher(memory);
  for (const block of unit.blocks) {
    if (log.wants('in_asm')) log.write('in_asm', disassembleBlock(frontend, fetch, block, place(block.pc, host)));
    if (log.wants('op')) log.write('op', printBlock(unit, block, frontend));
  }
}

/** Logs generated JavaScript (out_js). */
export function logSource(source: string, options: EngineOptions): void {
  const { log } = options.host;
  if (log?.wants('out_js')) log.write('out_js', source);
}

/** Logs a region's WebAssembly (out_wasm), as instructions. */
export function logModule(emitted: EmittedModule, options: EngineOptions): void {
  const { log } = options.host;
  if (!log?.wants('out_wasm')) return;
  const { name, bytes, body, imports } = emitted;
  log.write('out_wasm', `function ${name} ;; ${bytes.length} bytes\n${printBody(body, imports)}`);
}

/**
 * A frontend whose code logs each block that it enters (exec), whatever engine runs it: every block begins with the
 * call of a helper. Programs that are not logged so do not pay for it.
 */
export function withEntryLog(frontend: Frontend, host: EngineHost): Frontend {
  const trace: Helper = {
    name: 'trace',
    operands: ['i32'],
    result: '',
    reads: [],
    writes: [],
    run: (_state, _machine, pc) => {
      host.log?.write('exec', `EXEC: ${place(pc >>> 0, host)}`);
      return 0;
    },
  };
  const number = frontend.helpers.length;
  return {
    ...frontend,
    helpers: [...frontend.helpers, trace],
    lift: (builder, fetch, pc, options) => {
      const { unit } = builder;
      if (unit.blocks[unit.blocks.length - 1].first === unit.count) {
        builder.pc = pc;
        builder.helper(number, '', [builder.constant(pc)], []);
      }
      return frontend.lift(builder, fetch, pc, options);
    },
  };
}

/** "0x1000041c (main+0x1c)" */
function place(pc: number, host: EngineHost): string {
  const name = symbolicAddress(pc, host);
  return name === '' ? `0x${hex8(pc)}` : `0x${hex8(pc)} (${name})`;
}

function disassembleBlock(frontend: Frontend, fetch: Fetch, block: Block, title: string): string {
  const lines = [`IN: ${title}`];
  for (let pc = block.pc; pc < block.endPc; ) {
    const { text, length } = frontend.disassemble(fetch, pc);
    lines.push(`0x${hex8(pc)}:  ${text}`);
    pc += length;
  }
  return lines.join('\n');
}
