/** Lifts guest instructions up to the end of a block. */
import type { Fetch, Frontend, LiftOptions } from '../frontend.ts';
import type { Builder } from '../ir/builder.ts';
import type { Constants } from './inline.ts';

/** Lifts one block. @param known what registers hold where it begins @returns the number of guest instructions lifted */
export function liftBlock(
  frontend: Frontend,
  builder: Builder,
  fetch: Fetch,
  start: number,
  limit: number,
  options: LiftOptions,
  isBlockStart: (pc: number) => boolean,
  known?: Constants,
): number {
  const block = builder.begin(start);
  if (known !== undefined) for (const [register, value] of known) builder.assume(register, value);
  const starts: number[] | undefined = frontend.instructionAlignment > 1 ? undefined : [];
  if (starts !== undefined) block.starts = starts;
  let pc = start;
  let count = 0;
  do {
    builder.pc = pc;
    starts?.push(pc);
    pc = (pc + frontend.lift(builder, fetch, pc, options)) >>> 0;
    count++;
  } while (!builder.ended && count < limit && !isBlockStart(pc));
  if (!builder.ended) builder.jump(pc);
  builder.end(pc, count);
  return count;
}
