export async function run(a: unknown, b: string, c: readonly string[]): Promise<number> {
  return 0;
}
