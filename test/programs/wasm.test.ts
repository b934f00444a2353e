import { computingCases, x86Cases } from '../guests/cases.ts';
import { runsCases } from './suite.ts';

runsCases('wasm', [...computingCases, ...x86Cases]);
