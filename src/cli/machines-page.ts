/** The page of `stele machines` (docs/machines.md): the keys come from their rows, the example from its file. */
import { type MachineRow, machineRows } from './machine-options.ts';

const types: Readonly<Record<MachineRow['kind'], string>> = {
  text: 'text',
  choice: 'name',
  list: 'list of texts',
  variables: 'mapping from names to texts',
  'size limit': 'size',
  'time limit': 'time',
  number: 'number',
  size: 'size',
  switch: 'truth value',
  texts: 'list of texts',
  names: 'list of names',
};

function flag({ short, long, value }: MachineRow): string {
  if (value === '') return '';
  const letter = short === '' ? '' : `\`-${short} ${value.toUpperCase()}\`, `;
  return `${letter}\`--${long} ${value.toUpperCase()}\``;
}

function line(row: MachineRow): string {
  const choices = row.choices === undefined ? '' : `: ${row.choices.map((name) => `\`${name}\``).join(', ')}`;
  const byDefault = row.default === '' ? '' : `\`${row.default}\``;
  return `| \`${row.long}\` | ${flag(row)} | ${types[row.kind]} | ${byDefault} | ${row.doc}${choices} |\n`;
}

/** @param example the text of examples/machines.yaml */
export function machinesPage(example: string): string {
  return `# Machines

\`stele machines\` runs several programs side by side, each with its engine and its limits:

\`\`\`sh
npx stele machines examples/machines.yaml
npx stele machines --wall-limit 10s examples/life 20 1 + --engine interpreted examples/mandelbrot 60 20
\`\`\`

On the command line a \`+\` stands between one machine and the next. Options in front of the first program are for all machines
that do not say otherwise themselves, those behind a \`+\` for that machine alone. A program whose name ends in
\`.yaml\`, \`.yml\` or \`.json\` is a file of machines; it can stand among programs.

## The file

YAML or JSON: a mapping with the key \`machines\`, from names to what is said of each, and if you like \`defaults\`, which
hold for all machines that say nothing else (the command line's options come in between). Files and directories are
looked up from where the file lies, arguments are passed on as they stand. This is \`examples/machines.yaml\`:

\`\`\`yaml
${example.trimEnd()}
\`\`\`

| key | option | value | default | meaning |
| --- | --- | --- | --- | --- |
${machineRows.map(line).join('')}
\`--name NAME\` names a machine of the command line; without it the program's name does. \`--check\` says what is wrong with
all of this, each mistake with its place, and runs nothing. Nothing runs either when something is wrong without it.

## What the user sees

Each line that a machine writes stands behind its name, on standard output or standard error, as the machine wrote it;
on a terminal without what would move the cursor. On a terminal a table below it, on standard error, tells what is
going on; elsewhere there is a line when a machine begins and one when it ends (\`--progress table\`, \`lines\`, \`none\`). At the end a
table tells what became of all. \`--json\` prints that as JSON on standard output, with what the machines wrote (up to 16
MiB of each stream) instead of showing it.

| in the JSON | meaning |
| --- | --- |
| \`outcome\` | \`success\`: exit status 0; \`exit-status\`: another; \`signal\`: a signal ended it; \`memory-limit\`, \`cpu-limit\`, \`wall-limit\`, \`output-limit\`; \`unable\`: the program or engine does not run here; \`internal-error\`: an error of Stele's; \`interrupt\`: Ctrl-C |
| \`message\`, \`status\`, \`signal\` | the same for people; the exit status; the signal's name |
| \`wall\`, \`cpu\` | seconds from its first instruction to its end, and of processor time |
| \`peakMemory\`, \`systemCalls\`, \`output\` | bytes of address space at the most; calls; bytes written to both streams |
| \`stdout\`, \`stderr\` | what it wrote there; \`stdoutBase64\` where it is no UTF-8; \`stdoutDropped\`: bytes that are left out |

The exit status is 0 when all machines ended with exit status 0, 2 when one did not, 1 for a mistake before anything ran, and 128 +
the signal's number when Ctrl-C (130) or SIGTERM (143) ended all of them. At the first Ctrl-C the guests get the signal
and have three seconds; a second one ends them at once.

## Shares and limits

- **CPU share.** Where fewer machines want a processor than there are (\`--cpus COUNT\` lowers that), all run. Else each
  gets time in proportion to its share; nobody gets more than one processor. What counts is the time that a guest used, with
  its translation, whatever else the host does; V8's compilers, which run in threads of their own, are not counted.
- **CPU limit, wall limit.** The guest ends as by SIGKILL when the time is over, and is named as stopped. Times count from
  its first instruction; a machine that has to wait for its share uses up its wall limit.
- **Memory limit.** That of the address space (RLIMIT_AS): the program, its stack, heap and mappings. Beyond it \`mmap\`, \`brk\`
  and the stack's growth fail, as on Linux. A machine that fails after that is named as one that wanted too much. What
  the engine needs besides (translations) is not counted.
- **Output limit.** What comes first of standard output and standard error is written, up to the limit; with the next byte
  the guest ends.

A crash, an endless loop or a memory bomb in one machine leaves the others as they are. Machines are no walls against
malice: a guest opens the files that the user may open, \`root\` is only looked in first. A guest can send signals to itself alone, and its process id is
one of its own.

Engines differ in how fast a guest leaves its code when it has to: within a millisecond where code is translated, within
ten where the processor runs it (\`virtualized\`, \`traced\`). Those two need koffi, and KVM or ptrace; a machine whose engine
does not run here is named, and the others go on.
`;
}
