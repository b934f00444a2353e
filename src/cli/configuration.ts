/** Puts together what options say, wherever they are set. */
import { configurationDirectory, environment, readText } from '../host/command.ts';
import {
  optionsFromConfiguration,
  optionsFromEnvironment,
  type PartialOptions,
  type RunOptions,
  resolveOptions,
  UsageError,
} from './options.ts';

/**
 * Flags before environment before configuration file before defaults.
 * @throws UsageError
 */
export function completeOptions(flags: PartialOptions): RunOptions {
  const fromEnvironment = optionsFromEnvironment(environment());
  const named = flags.config ?? fromEnvironment.config;
  const path = named ?? `${configurationDirectory()}/stele/config.json`;
  const text = readText(path);
  if (typeof text === 'string') return resolveOptions(flags, fromEnvironment, optionsFromConfiguration(text, path));
  if (named !== undefined || text.code !== 'ENOENT') throw new UsageError(`${path}: ${text.message}`);
  return resolveOptions(flags, fromEnvironment);
}
