/**
 * Records what this host's processor does with the sample of x87 cases (test/x86/x87-oracle.ts).
 *
 * Usage: node test/x86/native/record-x87.ts
 */
import { recordedSample, runNatively, writeRecording } from '../x87-oracle.ts';

const cases = recordedSample();
const answers = runNatively(cases);
if (answers === undefined) throw new Error('recording needs an x86-64 Linux host with gcc');
writeRecording(cases, answers);
