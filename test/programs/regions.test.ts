import { runsAllCases } from './suite.ts';

runsAllCases('regions');
