/** Files as the host has them, but what goes to some descriptors goes to others: a guest whose output is not the command's. */
import { openSync } from 'node:fs';
import type { InheritedDescriptor, TerminalSettings } from './host.ts';
import { NodeFiles } from './node-files.ts';

/** A descriptor that nothing comes of: /dev/null, to be written to. */
export function openNowhere(): number {
  return openSync('/dev/null', 'w');
}

export class RedirectedFiles extends NodeFiles {
  private readonly others: ReadonlyMap<number, number>;

  /** @param others from a descriptor to the one that stands for it; it is never closed */
  constructor(others: ReadonlyMap<number, number>) {
    super();
    this.others = others;
  }

  private of(descriptor: number): number {
    return this.others.get(descriptor) ?? descriptor;
  }

  override close(descriptor: number): number {
    return this.others.has(descriptor) ? 0 : super.close(descriptor);
  }
  override inherited(descriptor: number): InheritedDescriptor | undefined {
    return super.inherited(this.of(descriptor));
  }
  override read(descriptor: number, buffer: Uint8Array, position: number | undefined): number {
    return super.read(this.of(descriptor), buffer, position);
  }
  override readWaiting(descriptor: number, buffer: Uint8Array): Promise<number> {
    return super.readWaiting(this.of(descriptor), buffer);
  }
  override write(descriptor: number, buffer: Uint8Array, position: number | undefined): number {
    return super.write(this.of(descriptor), buffer, position);
  }
  override truncate(descriptor: number, length: number): number {
    return super.truncate(this.of(descriptor), length);
  }
  override synchronize(descriptor: number, dataOnly: boolean): number {
    return super.synchronize(this.of(descriptor), dataOnly);
  }
  override statusOf(descriptor: number) {
    return super.statusOf(this.of(descriptor));
  }
  override descriptorPath(descriptor: number): Uint8Array {
    return super.descriptorPath(this.of(descriptor));
  }
  override isTerminal(descriptor: number): boolean {
    return super.isTerminal(this.of(descriptor));
  }
  override terminalSettings(descriptor: number) {
    return super.terminalSettings(this.of(descriptor));
  }
  override setTerminalSettings(descriptor: number, settings: TerminalSettings): number {
    return super.setTerminalSettings(this.of(descriptor), settings);
  }
  override windowSize(descriptor: number) {
    return super.windowSize(this.of(descriptor));
  }
}
