import { runsAllCases } from './suite.ts';

runsAllCases('interpreted');
