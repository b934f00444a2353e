import { cases, x86Cases } from '../guests/cases.ts';
import { runsCases } from './suite.ts';

runsCases('interpreted', [...cases, ...x86Cases]);
