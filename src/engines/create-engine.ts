/** Engines by the names that users give. */
import type { Engine, EngineOptions } from './engine.ts';
import { InterpretedEngine } from './interpreted/interpreted-engine.ts';
import { TranslatedEngine } from './translated/translated-engine.ts';

export const engineNames = ['interpreted', 'blocks', 'regions', 'auto'] as const;
export type EngineName = (typeof engineNames)[number];

export function createEngine(name: EngineName, options: EngineOptions): Engine {
  if (name === 'interpreted') return new InterpretedEngine(options);
  if (name === 'blocks') return new InterpretedEngine(options);
  return new TranslatedEngine(name, options);
}
