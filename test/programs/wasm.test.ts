import { computingCases } from '../guests/cases.ts';
import { runsCases } from './suite.ts';

runsCases('wasm', computingCases);
