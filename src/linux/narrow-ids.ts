/**
 * Users and groups in 16 bits: i386's first calls about them (kernel/uid16.c). The calls that replaced them end with
 * `32` and do what those of other architectures do.
 */
import { rows as nameRows } from './files-names.ts';
import { withArguments } from './guest-access.ts';
import { rows as identityRows } from './identity.ts';
import { largestNarrowId, toNarrowId } from './stat.ts';
import type { Handler, SystemCall, SystemCallRow } from './system-call.ts';

/** The id that a narrow argument means; its largest value means none. */
function toWideId(argument: number): number {
  const id = argument & largestNarrowId;
  return id === largestNarrowId ? 0xffffffff : id;
}

type Narrowing = (handler: Handler, row: SystemCallRow) => Handler;

/** The result is an id. */
const givesId: Narrowing = (handler) => (call) => {
  const result = handler(call);
  return typeof result === 'number' && result >= 0 ? toNarrowId(result) : result;
};

/** Arguments from `first` on are ids. */
const takesIds =
  (first: number): Narrowing =>
  (handler, row) =>
  (call) => {
    const wide = call.args
      .slice(0, row.arguments.length)
      .map((argument, i) =>
        i < first ? argument : row.arguments[i] === 'int' ? toWideId(argument) | 0 : toWideId(argument),
      );
    return handler(withArguments(call, wide));
  };

/** Real, effective and saved id go to three addresses. */
const givesThree =
  (kind: 'uid' | 'gid'): Narrowing =>
  () =>
  ({ process, memory, args }: SystemCall) => {
    const { uid, effectiveUid, gid, effectiveGid } = process.system.credentials();
    const [real, effective] = kind === 'uid' ? [uid, effectiveUid] : [gid, effectiveGid];
    [real, effective, effective].forEach((id, i) => {
      memory.writeU16(args[i], toNarrowId(id));
    });
    return 0;
  };

/** getgroups: as many ids as there are go to an array. */
const givesList: Narrowing = (handler) => (call) => {
  const [size, address] = call.args;
  const { groups } = call.process.system.credentials();
  if (size <= 0 || groups.length > size) return handler(call);
  groups.forEach((group, i) => {
    call.memory.writeU16(address + i * 2, toNarrowId(group));
  });
  return groups.length;
};

/** Name, i386's numbers in 16 and 32 bits, what is narrow about the first. */
// biome-ignore format: one call per line
const calls: readonly (readonly [name: string, narrow: number, wide: number, narrowing: Narrowing])[] = [
  ['lchown', 16, 198, takesIds(1)],
  ['setuid', 23, 213, takesIds(0)],
  ['getuid', 24, 199, givesId],
  ['setgid', 46, 214, takesIds(0)],
  ['getgid', 47, 200, givesId],
  ['geteuid', 49, 201, givesId],
  ['getegid', 50, 202, givesId],
  ['setreuid', 70, 203, takesIds(0)],
  ['setregid', 71, 204, takesIds(0)],
  ['getgroups', 80, 205, givesList],
  ['setgroups', 81, 206, (handler) => handler],
  ['fchown', 95, 207, takesIds(1)],
  ['setfsuid', 138, 215, givesId],
  ['setfsgid', 139, 216, givesId],
  ['setresuid', 164, 208, takesIds(0)],
  ['getresuid', 165, 209, givesThree('uid')],
  ['setresgid', 170, 210, takesIds(0)],
  ['getresgid', 171, 211, givesThree('gid')],
  ['chown', 182, 212, takesIds(1)],
];

const wideRows = new Map([...identityRows, ...nameRows].map((row) => [row.name, row]));

export const rows: SystemCallRow[] = calls.flatMap(([name, narrow, wide, narrowing]) => {
  const row = wideRows.get(name);
  if (row === undefined) throw new RangeError(`there is no call ${name}`);
  return [
    { ...row, numbers: { i386: narrow }, handler: narrowing(row.handler, row) },
    { ...row, name: `${name}32`, numbers: { i386: wide } },
  ];
});
