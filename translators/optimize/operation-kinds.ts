/** What kind of thing each operation is to a backend. */
import { type Operation, operations } from '../ir/operations.ts';

export type Kind = 'const' | 'get' | 'set' | 'pure' | 'load' | 'helper' | 'exit';

function kindOf(operation: Operation): Kind {
  if (operation.name.endsWith('.const')) return 'const';
  if (operation.name.startsWith('get.')) return 'get';
  if (operation.name.startsWith('set.')) return 'set';
  if (operation.name.startsWith('helper.')) return 'helper';
  if (operation.flags.has('pure')) return 'pure';
  if (operation.flags.has('load') || operation.flags.has('store')) return 'load';
  return 'exit';
}

/** What a backend does with each operation, by code. */
export const kinds: readonly Kind[] = operations.map(kindOf);

export const operandCounts = Uint8Array.from(operations, (operation) => operation.operands.length);
