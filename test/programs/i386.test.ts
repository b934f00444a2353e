import { comparesWithProcessor } from './x86.ts';

comparesWithProcessor('i386');
