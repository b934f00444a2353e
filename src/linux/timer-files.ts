/** Timers that are read like files (timerfd). */
import type { FileStatus } from '../host/host.ts';
import { clockId } from './clocks.ts';
import { errno } from './errno.ts';
import { install } from './files-open.ts';
import { OpenFile, readable } from './open-file.ts';
import { anonymousStatus, type Owner, ownerOf, Waiters } from './pipes.ts';
import { deadlineOf, readSetting, writeSetting } from './posix-timers.ts';
import { restart } from './signal-frame.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';
import type { Thread } from './thread.ts';
import { Alarm, type Clock, type Timers } from './timers.ts';

/** A read takes the number of expiries since the last one, as 64 bits. */
class TimerFile extends OpenFile {
  readonly alarm: Alarm;
  private readonly changed = new Waiters();
  private readonly owner: Owner;
  private readonly little: boolean;
  private expiries = 0;

  constructor(timers: Timers, clock: Clock, little: boolean, owner: Owner, flags: number) {
    super(flags, { read: true, write: true });
    this.little = little;
    this.owner = owner;
    this.alarm = new Alarm(timers, clock, (times) => {
      this.expiries += times;
      this.changed.wake();
    });
  }

  set(deadline: number, interval: number): void {
    this.expiries = 0;
    this.alarm.set(deadline, interval);
  }

  read(buffer: Uint8Array, thread: Thread): number | Promise<number> {
    if (buffer.length < 8) return -errno.EINVAL;
    // A running guest may ask before the host's timer had its turn.
    if (this.alarm.deadline !== 0) thread.process.timers.service();
    if (this.expiries === 0) return this.nonBlocking ? -errno.EAGAIN : this.readLater(buffer, thread);
    new DataView(buffer.buffer, buffer.byteOffset).setBigUint64(0, BigInt(this.expiries), this.little);
    this.expiries = 0;
    return 8;
  }

  write(): number {
    return -errno.EINVAL;
  }

  override readiness(): number {
    return this.expiries > 0 ? readable : 0;
  }

  override whenChanged(): Promise<void> {
    return this.changed.next();
  }

  status(): FileStatus {
    return anonymousStatus(1n, 0o600, this.owner);
  }

  dispose(): void {
    this.alarm.set(0, 0);
  }

  override get label(): string {
    return 'anon_inode:[timerfd]';
  }

  private async readLater(buffer: Uint8Array, thread: Thread): Promise<number> {
    while (this.expiries === 0) {
      if (thread.interrupted) return -restart.ERESTARTSYS;
      await Promise.race([this.changed.next(), thread.whenInterrupted()]);
    }
    return this.read(buffer, thread);
  }
}

/** Clocks that a timer descriptor can have without privileges. */
const clocks: readonly number[] = [clockId.REALTIME, clockId.MONOTONIC, clockId.BOOTTIME];
const wakingClocks: readonly number[] = [clockId.REALTIME_ALARM, clockId.BOOTTIME_ALARM];

function create(call: SystemCall): number {
  const { process, abi, args } = call;
  const [id, flags] = args;
  const { NONBLOCK, CLOEXEC, RDWR } = abi.open;
  if ((flags & ~(NONBLOCK | CLOEXEC)) !== 0) return -errno.EINVAL;
  if (wakingClocks.includes(id)) return -errno.EPERM;
  const clock = clocks.includes(id) ? process.clocks.byId(id, process.id) : undefined;
  if (clock === undefined) return -errno.EINVAL;
  const little = abi.model.byteOrder === 'little';
  const file = new TimerFile(process.timers, clock, little, ownerOf(call), RDWR | (flags & NONBLOCK));
  file.nonBlocking = (flags & NONBLOCK) !== 0;
  return install(call, file, (flags & CLOEXEC) !== 0);
}

function timerFile({ process, args: [descriptor] }: SystemCall): TimerFile | number {
  const file = process.files.get(descriptor);
  if (file === undefined) return -errno.EBADF;
  return file instanceof TimerFile ? file : -errno.EINVAL;
}

const setFlag = { ABSTIME: 1, CANCEL_ON_SET: 2 } as const;

function setTime(call: SystemCall, wide: boolean): number {
  const [, flags, address, old] = call.args;
  const setting = readSetting(call, address, wide);
  if (typeof setting === 'number') return setting;
  if ((flags & ~(setFlag.ABSTIME | setFlag.CANCEL_ON_SET)) !== 0) return -errno.EINVAL;
  const file = timerFile(call);
  if (typeof file === 'number') return file;
  if (old !== 0) writeSetting(call, old, file.alarm, wide);
  file.set(deadlineOf(file.alarm, setting.value, (flags & setFlag.ABSTIME) !== 0), setting.interval);
  return 0;
}

function getTime(call: SystemCall, wide: boolean): number {
  const file = timerFile(call);
  if (typeof file === 'number') return file;
  writeSetting(call, call.args[1], file.alarm, wide);
  return 0;
}

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'timerfd_create', numbers: { powerpc: 306, i386: 322, 'x86-64': 283 }, arguments: ['flags:clock', 'hex'], handler: create, support: 'full' },
  { name: 'timerfd_settime', numbers: { powerpc: 311, i386: 325, 'x86-64': 286 }, arguments: ['fd', 'hex', 'pointer', 'pointer'], handler: (call) => setTime(call, false), support: 'partial', note: 'TFD_TIMER_CANCEL_ON_SET never cancels' },
  { name: 'timerfd_gettime', numbers: { powerpc: 312, i386: 326, 'x86-64': 287 }, arguments: ['fd', 'pointer'], handler: (call) => getTime(call, false), support: 'full' },
  { name: 'timerfd_gettime64', numbers: { powerpc: 410, i386: 410 }, arguments: ['fd', 'pointer'], handler: (call) => getTime(call, true), support: 'full' },
  { name: 'timerfd_settime64', numbers: { powerpc: 411, i386: 411 }, arguments: ['fd', 'hex', 'pointer', 'pointer'], handler: (call) => setTime(call, true), support: 'partial', note: 'as timerfd_settime' },
];
