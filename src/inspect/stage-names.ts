/** The stages of a translation, from guest code to host code. */
export const stages = ['guest', 'ir', 'optimized', 'js', 'wasm', 'host'] as const;
export type Stage = (typeof stages)[number];
