/**
 * Records what this host's processor does with the sample of cases (recorded.ts).
 *
 * Usage: node test/x86/native/record.ts
 */
import { NativeRunner } from './native.ts';
import { writeRecording } from './recorded.ts';

for (const mode of [32, 64] as const) {
  const missing = NativeRunner.missing(mode);
  if (missing !== undefined) throw new Error(`recording ${mode}-bit mode needs ${missing}`);
  const runner = new NativeRunner(mode);
  writeRecording(mode, (cases) => runner.run(cases));
  runner.close();
}
