/** The types of IR values. Conditions are i32 values that hold 0 or 1. */
export type Type = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

export const types: readonly Type[] = ['i32', 'i64', 'f32', 'f64', 'v128'];

/** Size of a value of each type in bytes. */
export const sizeOf: Readonly<Record<Type, number>> = { i32: 4, i64: 8, f32: 4, f64: 8, v128: 16 };

/** Types that only WebAssembly has: elsewhere a value of such a type is two values of the type here, its low and its high half. */
export const halfTypes: Partial<Record<Type, Type>> = { i64: 'i32', v128: 'f64' };
