/**
 * Runs a guest program in this process with the host's page protection on from the start: an access that the guest may
 * not make and that nothing checked ends the process with SIGSEGV.
 *
 * Usage: node protected-guest.ts ENGINE -0 NAME FILE ARGUMENT...
 */
import { createGuest } from '../../src/cli/guest.ts';
import type { EngineName } from '../../src/engines/create-engine.ts';
import { argumentBytes, dieOfSignal, environmentBytes, readExecutable } from '../../src/host/command.ts';
import { NodeFiles } from '../../src/host/node-files.ts';
import { NodeSystem } from '../../src/host/node-system.ts';
import { findHostPages } from '../../src/host/page-protection.ts';
import { runThread } from '../../src/linux/run.ts';

const engine = process.argv[2] as EngineName;
const [name, path, ...rest] = argumentBytes(process.argv.length - 4);
const file = readExecutable(path);
if ('code' in file) throw new Error(file.message);
const guest = createGuest({
  file,
  path,
  arguments: [name, ...rest],
  environment: environmentBytes(),
  system: new NodeSystem(),
  fileHost: new NodeFiles(),
  stackLimit: 8 << 20,
  findHostPages,
  engine,
  measure: false,
});
guest.memory.enableHostProtection();
const status = await runThread(guest.thread, guest.engine);
// The signal of an unchecked access would look like the guest's own.
if (status.kind === 'signal') process.stderr.write(`the guest died of signal ${status.signal}\n`);
process.exitCode = status.kind === 'exit' ? status.code : dieOfSignal(status.signal);
