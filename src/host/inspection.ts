/** What the machine under Stele is and has, for `stele doctor`. An ordinary run asks nothing of this. */
import { spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, existsSync, openSync, statSync } from 'node:fs';
import { availableParallelism, cpus, release, type } from 'node:os';
import { dirname, resolve } from 'node:path';

/** Processor, cores, system and Node, in a line. */
export function machineDescription(): string {
  const [{ model } = { model: 'unknown processor' }] = cpus();
  const cores = availableParallelism();
  return `${model.trim()}, ${cores} ${cores === 1 ? 'core' : 'cores'}, ${type()} ${release()}, Node ${process.versions.node}`;
}

export interface Runtime {
  /** Versions without a leading v. */
  readonly node: string;
  readonly v8: string;
  /** As Node names them: linux, x64. */
  readonly platform: string;
  readonly architecture: string;
}

export function runtime(): Runtime {
  const { versions, platform, arch } = process;
  return { node: versions.node, v8: versions.v8, platform, architecture: arch };
}

/** The first line of what a program prints when asked for its version; undefined where there is no such program. */
export function programVersion(program: string): string | undefined {
  const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? stdout.split('\n', 1)[0] : undefined;
}

/** Opens a device for reading and writing, and closes it. @returns what kept it from that: ENOENT, EACCES; undefined when nothing did */
export function deviceProblem(path: string): string | undefined {
  try {
    closeSync(openSync(path, 'r+'));
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Whether a directory can be written to, or be made if it does not exist. Makes nothing. */
export function canBeWritten(directory: string): boolean {
  let path = resolve(directory);
  while (!existsSync(path)) path = dirname(path);
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return isDirectory(path);
  } catch {
    return false;
  }
}
