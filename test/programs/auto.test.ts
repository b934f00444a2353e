import { cases } from '../guests/cases.ts';
import { runsCases } from './suite.ts';

runsCases('auto', cases);
