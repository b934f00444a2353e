/** Structures whose fields are the same on every ABI; only the sizes of words and alignments differ. */
import type { StructureName } from './abi.ts';
import { type DataModel, type FieldRows, Structure } from './structure.ts';

/** struct statx_timestamp, with a prefix to its field names. */
const timestamp = (name: string): FieldRows => ({
  [`${name}_sec`]: 'i64',
  [`${name}_nsec`]: 'u32',
  [`${name}_pad`]: 'i32',
});

// biome-ignore format: one structure per paragraph
export const commonLayouts = {
  statx: {
    stx_mask: 'u32', stx_blksize: 'u32', stx_attributes: 'u64', stx_nlink: 'u32', stx_uid: 'u32', stx_gid: 'u32',
    stx_mode: 'u16', spare0: 'u16', stx_ino: 'u64', stx_size: 'u64', stx_blocks: 'u64', stx_attributes_mask: 'u64',
    ...timestamp('stx_atime'), ...timestamp('stx_btime'), ...timestamp('stx_ctime'), ...timestamp('stx_mtime'),
    stx_rdev_major: 'u32', stx_rdev_minor: 'u32', stx_dev_major: 'u32', stx_dev_minor: 'u32',
    stx_mnt_id: 'u64', spare2: 'u64', spare3: ['u64', 12],
  },
  statfs: {
    f_type: 'ulong', f_bsize: 'ulong', f_blocks: 'ulong', f_bfree: 'ulong', f_bavail: 'ulong', f_files: 'ulong',
    f_ffree: 'ulong', f_fsid: ['i32', 2], f_namelen: 'ulong', f_frsize: 'ulong', f_flags: 'ulong', f_spare: ['ulong', 4],
  },
  statfs64: {
    f_type: 'ulong', f_bsize: 'ulong', f_blocks: 'u64', f_bfree: 'u64', f_bavail: 'u64', f_files: 'u64',
    f_ffree: 'u64', f_fsid: ['i32', 2], f_namelen: 'ulong', f_frsize: 'ulong', f_flags: 'ulong', f_spare: ['ulong', 4],
  },
  iovec: { iov_base: 'ulong', iov_len: 'ulong' },
  pollfd: { fd: 'i32', events: 'u16', revents: 'u16' },
  timespec: { tv_sec: 'long', tv_nsec: 'long' },
  timespec64: { tv_sec: 'i64', tv_nsec: 'i64' },
  timeval: { tv_sec: 'long', tv_usec: 'long' },
  itimerval: { interval_sec: 'long', interval_usec: 'long', value_sec: 'long', value_usec: 'long' },
  itimerspec: { interval_sec: 'long', interval_nsec: 'long', value_sec: 'long', value_nsec: 'long' },
  itimerspec64: { interval_sec: 'i64', interval_nsec: 'i64', value_sec: 'i64', value_nsec: 'i64' },
  utimbuf: { actime: 'long', modtime: 'long' },
  timezone: { tz_minuteswest: 'i32', tz_dsttime: 'i32' },
  rlimit: { rlim_cur: 'ulong', rlim_max: 'ulong' },
  rlimit64: { rlim_cur: 'u64', rlim_max: 'u64' },
  flock: { l_type: 'i16', l_whence: 'i16', l_start: 'long', l_len: 'long', l_pid: 'i32' },
  flock64: { l_type: 'i16', l_whence: 'i16', l_start: 'i64', l_len: 'i64', l_pid: 'i32' },
  winsize: { ws_row: 'u16', ws_col: 'u16', ws_xpixel: 'u16', ws_ypixel: 'u16' },
  epollEvent: { events: 'u32', data: 'u64' },
  openHow: { flags: 'u64', mode: 'u64', resolve: 'u64' },
  /** The sixth argument of pselect6. */
  sigsetArgument: { pointer: 'ulong', size: 'ulong' },
  rusage: {
    utime_sec: 'long', utime_usec: 'long', stime_sec: 'long', stime_usec: 'long', maxrss: 'long', ixrss: 'long',
    idrss: 'long', isrss: 'long', minflt: 'long', majflt: 'long', nswap: 'long', inblock: 'long', oublock: 'long',
    msgsnd: 'long', msgrcv: 'long', nsignals: 'long', nvcsw: 'long', nivcsw: 'long',
  },
  timex: {
    modes: 'u32', offset: 'long', freq: 'long', maxerror: 'long', esterror: 'long', status: 'i32', constant: 'long',
    precision: 'long', tolerance: 'long', time_sec: 'long', time_usec: 'long', tick: 'long', ppsfreq: 'long',
    jitter: 'long', shift: 'i32', stabil: 'long', jitcnt: 'long', calcnt: 'long', errcnt: 'long', stbcnt: 'long',
    tai: 'i32', spare: ['i32', 11],
  },
  /** As the kernel has it; the mask, an array of words, follows. */
  sigaction: { sa_handler: 'ulong', sa_flags: 'ulong', sa_restorer: 'ulong' },
  sigevent: { sigev_value: 'ulong', sigev_signo: 'i32', sigev_notify: 'i32', sigev_notify_thread_id: 'i32' },
  /** stack_t */
  signalStack: { ss_sp: 'ulong', ss_flags: 'i32', ss_size: 'ulong' },
  robustList: { list: 'ulong', futex_offset: 'long', list_op_pending: 'ulong' },
  /** The arguments of a call that takes them through memory. */
  callArguments: { words: ['ulong', 6] },
  tms: { utime: 'long', stime: 'long', cutime: 'long', cstime: 'long' },
  sysinfo: {
    uptime: 'long', loads: ['ulong', 3], totalram: 'ulong', freeram: 'ulong', sharedram: 'ulong', bufferram: 'ulong',
    totalswap: 'ulong', freeswap: 'ulong', procs: 'u16', pad: 'u16', totalhigh: 'ulong', freehigh: 'ulong',
    mem_unit: 'u32', reserved: ['u8', 8],
  },
} as const satisfies Record<string, FieldRows>;

type CommonName = keyof typeof commonLayouts;

/**
 * All structures of an ABI.
 * @param own those that are its own, and common ones that differ @param packed those without padding
 */
export function makeStructures(
  model: DataModel,
  own: Readonly<Record<Exclude<StructureName, CommonName>, FieldRows>> &
    Readonly<Partial<Record<CommonName, FieldRows>>>,
  packed: readonly StructureName[] = [],
): Record<StructureName, Structure> {
  const layouts: Record<StructureName, FieldRows> = { ...commonLayouts, ...own };
  const made: Partial<Record<StructureName, Structure>> = {};
  for (const name of Object.keys(layouts) as StructureName[]) {
    made[name] = new Structure(layouts[name], model, packed.includes(name));
  }
  return made as Record<StructureName, Structure>;
}
