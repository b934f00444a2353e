/** What the text of generated JavaScript names (translators/javascript/region.ts has the list), from an engine's parts. */
import type { Machine } from '../../../translators/frontend.ts';
import { header, type State } from '../../../translators/ir/state.ts';
import type { Environment } from '../../../translators/javascript/compile.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';

/** What translations call. What is returned for going on is a guest address, or a cell where translations are chained. */
export interface Calls {
  leaveLoop(pc: number): unknown;
  leaveMode(pc: number): unknown;
  leaveInside(pc: number): unknown;
  systemCall(link: number): unknown;
  cell(pc: number): unknown;
  unknownTarget(entry: number, site: number, pc: number): unknown;
  helper(number: number): unknown;
}

/** @param more names and values besides */
export function environmentOf(
  memory: GuestMemory,
  state: State,
  machine: Machine,
  more: { readonly names: readonly string[]; readonly values: readonly unknown[] } | undefined,
  calls: Calls,
): Environment {
  const { buffer, view, permissions } = memory;
  const { i32, f64 } = state;
  const unwind = i32.subarray(header.unwind >> 2, (header.unwind >> 2) + 1);
  const named: Readonly<Record<string, unknown>> = {
    stateI32: i32,
    stateF64: f64,
    view,
    bytes: new Uint8Array(buffer),
    I: new Int32Array(buffer, 0, buffer.byteLength >> 2),
    permissions,
    U: unwind,
    T: state,
    M: machine,
    R: calls.leaveLoop,
    V: calls.leaveMode,
    X: calls.leaveInside,
    Y: calls.systemCall,
    G: calls.cell,
    N: calls.unknownTarget,
  };
  return {
    names: [...Object.keys(named), ...(more?.names ?? [])],
    values: [...Object.values(named), ...(more?.values ?? [])],
    cell: calls.cell,
    helper: calls.helper,
  };
}
