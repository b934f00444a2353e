import { runsAllCases } from './suite.ts';

runsAllCases('blocks');
