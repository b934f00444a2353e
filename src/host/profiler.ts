/** V8's profilers: the sampling one of the inspector protocol, and the map of its code for Linux's perf. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import type { CpuProfile } from '../diagnostics/cpu-profile.ts';
import { steleCommand } from './command.ts';

/** Microseconds between samples. */
const interval = 500;

/** Starts to take samples of this thread. @returns what ends it and gives the profile */
export async function startProfiler(): Promise<() => Promise<CpuProfile>> {
  const session = new Session();
  session.connect();
  const post = (method: string, parameters?: object): Promise<object> =>
    new Promise((resolve, reject) => {
      session.post(method, parameters, (error, result) => {
        if (error === null) resolve(result ?? {});
        else reject(error);
      });
    });
  await post('Profiler.enable');
  await post('Profiler.setSamplingInterval', { interval });
  await post('Profiler.start');
  return async () => {
    const { profile } = (await post('Profiler.stop')) as { profile: CpuProfile };
    session.disconnect();
    return profile;
  };
}

const perfFlag = '--perf-basic-prof';
const perfMapPath = (): string => `/tmp/perf-${process.pid}.map`;

/** Whether V8 writes a map of its code for perf. It can only be told to when Node starts. */
export function writesPerfMap(): boolean {
  return process.execArgv.includes(perfFlag);
}

/**
 * Starts this command anew, in the same process, with a V8 that writes the map; comes back only where that cannot be.
 * @returns why
 */
export function restartWithPerfMap(): string {
  const { execve } = process as { execve?: (file: string, args: string[], environment: NodeJS.ProcessEnv) => never };
  if (execve === undefined || process.platform === 'win32') return 'it takes Linux';
  const [node, ...rest] = steleCommand();
  try {
    return execve(node, [node, perfFlag, ...rest, ...process.argv.slice(2)], process.env);
  } catch (error) {
    return (error as Error).message;
  }
}

/** Changes the map that V8 has written. Lines that it writes from now on are lost. */
export function rewritePerfMap(change: (text: string) => string): void {
  const path = perfMapPath();
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch {
    // V8 could not write it, and has said so.
    return;
  }
  writeFileSync(`${path}.new`, change(text), 'latin1');
  renameSync(`${path}.new`, path);
}
