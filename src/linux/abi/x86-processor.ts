/** The text of /proc/cpuinfo on x86 (arch/x86/kernel/cpu/proc.c), of the processor that cpuid tells of. */
import { featureNames, processor } from '../../../translators/x86/features.ts';

/** @param is64 whether the program is one of 64 bits @param processors how many there are */
export function processorInfo(is64: boolean, processors: number): string {
  const { vendor, family, model, name, stepping, cacheSize, lineSize, physicalBits, virtualBits } = processor;
  const describe = (number: number): string =>
    [
      `processor\t: ${number}`,
      `vendor_id\t: ${vendor}`,
      `cpu family\t: ${family}`,
      `model\t\t: ${model}`,
      `model name\t: ${name}`,
      `stepping\t: ${stepping}`,
      `cache size\t: ${cacheSize} KB`,
      'physical id\t: 0',
      `siblings\t: ${processors}`,
      `core id\t\t: ${number}`,
      `cpu cores\t: ${processors}`,
      `apicid\t\t: ${number}`,
      'fpu\t\t: yes',
      'fpu_exception\t: yes',
      'wp\t\t: yes',
      `flags\t\t: ${featureNames(is64).join(' ')}`,
      `clflush size\t: ${lineSize}`,
      `cache_alignment\t: ${lineSize}`,
      `address sizes\t: ${physicalBits} bits physical, ${virtualBits} bits virtual`,
      'power management:',
    ].join('\n');
  return `${Array.from({ length: processors }, (_, number) => describe(number)).join('\n\n')}\n\n`;
}
