import { runsAllCases } from './suite.ts';

runsAllCases('auto');
