/**
 * The guest state of a 32-bit PowerPC thread.
 *
 * The bits of the condition register and of XER are registers of their own: liveness drops the ones
 * that nobody reads, and a compare fuses with the branch that tests it.
 */
import { defineRegisters, type RegisterRow } from '../ir/state.ts';

const conditions = ['lt', 'gt', 'eq', 'so'];

const rows: RegisterRow[] = [];
// r1 is the stack pointer.
for (let i = 0; i < 32; i++) rows.push({ name: `r${i}`, type: 'i32', pinned: i === 1 });
rows.push({ name: 'lr', type: 'i32' }, { name: 'ctr', type: 'i32' });
for (let i = 0; i < 32; i++) {
  rows.push({ name: `cr${i >> 2}.${conditions[i & 3]}`, type: 'i32', bit: true });
}
for (const name of ['xer.ca', 'xer.ov', 'xer.so']) rows.push({ name, type: 'i32', bit: true });
// Bytes that lswx and stswx move: 0 to 127.
rows.push({ name: 'xer.count', type: 'i32' });
rows.push({ name: 'fpscr', type: 'i32' });
// Address of the reservation (-1: none) and the aligned word that was found there.
rows.push({ name: 'reserve.address', type: 'i32' }, { name: 'reserve.value', type: 'i32' });
rows.push({ name: 'vrsave', type: 'i32' });
for (let i = 0; i < 32; i++) rows.push({ name: `f${i}`, type: 'f64' });

export const powerpcRegisters = defineRegisters(rows);

const { numbers } = powerpcRegisters;

/** Register numbers. General register n has number n; bit n of the condition register `cr + n`; floating-point register n `fpr + n`. */
export const lr = numbers.lr;
export const ctr = numbers.ctr;
export const cr = numbers['cr0.lt'];
export const ca = numbers['xer.ca'];
export const ov = numbers['xer.ov'];
export const so = numbers['xer.so'];
export const stringCount = numbers['xer.count'];
export const fpscr = numbers.fpscr;
export const reserveAddress = numbers['reserve.address'];
export const reserveValue = numbers['reserve.value'];
export const vrsave = numbers.vrsave;
export const fpr = numbers.f0;
