import { cases } from '../guests/cases.ts';
import { runsCases } from './suite.ts';

runsCases('interpreted', cases);
