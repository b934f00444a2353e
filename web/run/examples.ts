/** Programs that the page brings along. */

export interface Example {
  readonly title: string;
  readonly doc: string;
  /** Arguments, as they are typed. */
  readonly arguments: string;
  /** The program's file by machine; the first is what the title alone stands for. */
  readonly programs: Readonly<Record<string, string>>;
  /** Files that it finds beside itself. */
  readonly files?: readonly string[];
}

const forAll = (name: string): Readonly<Record<string, string>> => ({
  PowerPC: name,
  i386: `${name}.i386`,
  'x86-64': `${name}.x86-64`,
});

export const examples: readonly Example[] = [
  { title: 'Mandelbrot', doc: 'draws the Mandelbrot set', arguments: '78 31 20000', programs: forAll('mandelbrot') },
  { title: 'Life', doc: 'Conway’s game of life', arguments: '200 40', programs: forAll('life') },
  { title: 'Donut', doc: 'turns a torus', arguments: '200 30', programs: forAll('donut') },
  {
    title: 'Forth',
    doc: 'a small Forth that you type at; “bye” leaves it',
    arguments: '',
    programs: { PowerPC: 'forth' },
    files: ['forth-programs/queens.fs', 'forth-programs/primes.fs'],
  },
];

/** Everything of the examples, below the project's folder of that name. */
export const exampleFiles: readonly string[] = examples.flatMap(({ programs, files = [] }) => [
  ...Object.values(programs),
  ...files,
]);
