/** Whether the engines that run guests on the processor itself can do so here. */
import { traceeProgram } from '../engines/traced/tracee-program.ts';
import { createVirtualMachine } from '../host/kvm.ts';
import { startTracedProcess } from '../host/ptrace.ts';

/** Why something that was made to see whether it can be was not made; empty where it was. */
function problemOf(made: { close(): void } | { readonly reason: string }): string {
  if ('reason' in made) return made.reason;
  made.close();
  return '';
}

/** Why there are no virtual machines; empty where there are. */
export function virtualizationProblem(): string {
  return problemOf(createVirtualMachine());
}

/** Why no process can be traced; empty where one can. */
export function tracingProblem(): string {
  const page = new Uint8Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);
  return problemOf(startTracedProcess(traceeProgram(), page, []));
}
