/** Engines by the names that users give. */
import type { Engine, EngineOptions } from './engine.ts';
import { InterpretedEngine } from './interpreted/interpreted-engine.ts';
import { withEntryLog } from './log.ts';
import { TranslatedEngine } from './translated/translated-engine.ts';

export const engineNames = ['interpreted', 'blocks', 'regions', 'wasm', 'auto'] as const;
export type EngineName = (typeof engineNames)[number];

export function createEngine(name: EngineName, asked: EngineOptions): Engine {
  const { host, frontend } = asked;
  const options = host.log?.wants('exec') ? { ...asked, frontend: withEntryLog(frontend, host) } : asked;
  if (name === 'interpreted') return new InterpretedEngine(options);
  return new TranslatedEngine(name, options);
}
