/** All system calls: the rows of every subject, and the tables that dispatch derives from them. */
import type { Abi, ArgumentPlan } from './abi/abi.ts';
import { rows as directoryRows } from './directories.ts';
import { rows as nameRows } from './files-names.ts';
import { rows as openRows } from './files-open.ts';
import { rows as socketRows } from './files-sockets.ts';
import { rows as transferRows } from './files-transfer.ts';
import { rows as identityRows } from './identity.ts';
import { rows as intervalTimerRows } from './interval-timers.ts';
import { rows as ioctlRows } from './ioctl.ts';
import { rows as memoryRows } from './memory.ts';
import { rows as narrowIdRows } from './narrow-ids.ts';
import { rows as pipeRows } from './pipes.ts';
import { rows as pollRows } from './poll.ts';
import { rows as posixTimerRows } from './posix-timers.ts';
import { rows as processRows } from './process-calls.ts';
import { rows as resourceRows } from './resources.ts';
import { rows as segmentRows } from './segments.ts';
import { rows as signalRows } from './signal-calls.ts';
import { rows as statRows } from './stat.ts';
import type { SystemCallRow } from './system-call.ts';
import { rows as timeRows } from './time.ts';
import { rows as timerFileRows } from './timer-files.ts';

/** Every row, subject by subject. */
export const systemCalls: readonly SystemCallRow[] = [
  ...transferRows,
  ...openRows,
  ...statRows,
  ...nameRows,
  ...directoryRows,
  ...ioctlRows,
  ...pipeRows,
  ...pollRows,
  ...socketRows,
  ...identityRows,
  ...intervalTimerRows,
  ...memoryRows,
  ...posixTimerRows,
  ...processRows,
  ...resourceRows,
  ...signalRows,
  ...timeRows,
  ...timerFileRows,
  ...narrowIdRows,
  ...segmentRows,
];

/** A row made ready for one ABI. */
export interface Entry {
  readonly row: SystemCallRow;
  readonly number: number;
  readonly plan: ArgumentPlan;
  /** How often the call was made, and the milliseconds it took (when times are kept). */
  calls: number;
  time: number;
  errors: number;
}

/**
 * The rows that an ABI has, by number, with holes.
 * @throws RangeError when two rows claim a number
 */
export function dispatchTable(abi: Abi, rows: readonly SystemCallRow[] = systemCalls): (Entry | undefined)[] {
  const entries: (Entry | undefined)[] = [];
  for (const row of rows) {
    const number = row.numbers[abi.name];
    if (number === undefined) continue;
    const other = entries[number];
    if (other !== undefined) {
      throw new RangeError(`${abi.name} system call ${number} is both ${other.row.name} and ${row.name}`);
    }
    entries[number] = { row, number, plan: abi.plan(row.arguments), calls: 0, time: 0, errors: 0 };
  }
  // Without holes the array stays a fast one.
  for (let i = 0; i < entries.length; i++) entries[i] ??= undefined;
  return entries;
}
