/** How machines ended, in the words of the user. */
import { signalDescription, signalName } from '../linux/signals.ts';
import type { Ending } from './messages.ts';

/** Limits that end a machine from outside. */
export type StoppedBy = 'wall-limit' | 'cpu-limit' | 'interrupt';

/** Names for scripts: all but `success` are failures. */
export type OutcomeKind =
  | 'success'
  | 'exit-status'
  | 'signal'
  | 'memory-limit'
  | 'output-limit'
  | 'unable'
  | 'internal-error'
  | StoppedBy;

export interface Outcome {
  readonly kind: OutcomeKind;
  /** For people: `exit status 3`. */
  readonly text: string;
  /** The guest's exit status, where it has one. */
  readonly status?: number;
  /** The signal that ended it, by name. */
  readonly signal?: string;
}

/** Limits as texts, for messages. */
export interface LimitTexts {
  readonly memory: string;
  readonly output: string;
  readonly wall: string;
  readonly cpu: string;
}

const stops: Readonly<Record<StoppedBy, (limits: LimitTexts) => string>> = {
  'wall-limit': ({ wall }) => `stopped: its wall limit of ${wall} was over`,
  'cpu-limit': ({ cpu }) => `stopped: its CPU limit of ${cpu} was used up`,
  interrupt: () => 'stopped: interrupted',
};

/** @param stoppedBy why the guest was made to end, if it was */
export function outcomeOf(ending: Ending, stoppedBy: StoppedBy | undefined, limits: LimitTexts): Outcome {
  if (stoppedBy !== undefined && ending.kind !== 'unable') return { kind: stoppedBy, text: stops[stoppedBy](limits) };
  switch (ending.kind) {
    case 'unable':
      return { kind: 'unable', text: ending.reason };
    case 'output':
      return { kind: 'output-limit', text: `stopped: it wrote more than its output limit of ${limits.output}` };
    case 'exit': {
      const { code: status, wasRefusedMemory } = ending;
      if (status === 0) return { kind: 'success', text: 'exit status 0', status };
      const text = `exit status ${status}`;
      return wasRefusedMemory ? memoryLimit(text, limits, { status }) : { kind: 'exit-status', text, status };
    }
    case 'signal': {
      const signal = signalName(ending.signal);
      const text = `${signal} (${signalDescription(ending.signal)}) at 0x${ending.pc.toString(16).padStart(8, '0')}`;
      return ending.wasRefusedMemory ? memoryLimit(text, limits, { signal }) : { kind: 'signal', text, signal };
    }
  }
}

function memoryLimit(text: string, { memory }: LimitTexts, rest: Pick<Outcome, 'status' | 'signal'>): Outcome {
  return { kind: 'memory-limit', text: `it wanted more than its memory limit of ${memory}: ${text}`, ...rest };
}
