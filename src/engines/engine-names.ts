/** The names that users give to engines. */

/** Engines that run any guest. */
export const portableEngineNames = ['interpreted', 'blocks', 'regions', 'wasm', 'auto'] as const;
export type PortableEngineName = (typeof portableEngineNames)[number];
export const engineNames = [...portableEngineNames, 'virtualized', 'traced'] as const;
export type EngineName = (typeof engineNames)[number];
