import { comparesWithProcessor } from './x86.ts';

comparesWithProcessor('x86-64');
