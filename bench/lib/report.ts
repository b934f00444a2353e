/** What the comparison found, as text: for each engine a table of times and of ratios to what it is compared with. */
import { formatTable } from '../../src/diagnostics/table.ts';
import { type Benchmark, type Contender, type Engine, isReference } from './contenders.ts';
import { geometricMean, median } from './statistics.ts';

/** The samples of one contender on one benchmark at one scale, in seconds. */
export interface Series {
  readonly benchmark: string;
  readonly contender: Contender;
  readonly scale: number;
  readonly cpu: number[];
  readonly wall: number[];
  output: string;
}

export class Report {
  private readonly benchmarks: readonly Benchmark[];
  private readonly series: readonly Series[];

  constructor(benchmarks: readonly Benchmark[], series: readonly Series[]) {
    this.benchmarks = benchmarks;
    this.series = series;
  }

  /** Times of an engine and of what it is compared with, its ratio to each of these, their geometric means and worst. */
  engineTable(engine: Engine): string {
    const compared = this.contendersAt('scale').filter(isReference);
    const columns = [...compared, engine];
    const ratios = compared.map((reference) => this.ratios(engine, reference));
    const rows = this.benchmarks.map(({ name, scale }, row) => [
      name,
      ...columns.map((contender) => formatNumber(this.cpu(name, contender, scale), 3)),
      ...ratios.map((column) => formatNumber(column[row])),
    ]);
    const summary = (title: string, choose: (values: number[]) => number): string[] => [
      title,
      ...columns.map(() => ''),
      ...ratios.map((column) => formatNumber(choose(column.filter(isMeasured)))),
    ];
    rows.push(summary('geometric mean', geometricMean));
    rows.push(summary('worst', (values) => (values.length > 0 ? Math.max(...values) : Number.NaN)));
    return formatTable(['benchmark', ...columns, ...compared.map((reference) => `${engine}/${reference}`)], rows);
  }

  /** The references among each other: geometric means of their ratios to native code. Empty without native code. */
  referenceLine(): string {
    const others = this.contendersAt('scale').filter((contender) => isReference(contender) && contender !== 'native');
    const means = others
      .map((contender) => [contender, geometricMean(this.ratios(contender, 'native').filter(isMeasured))] as const)
      .filter(([, mean]) => !Number.isNaN(mean));
    return means.map(([contender, mean]) => `${contender}/native ${formatNumber(mean)}`).join(', ');
  }

  /**
   * The interpreter at its own, smaller scale: start-up weighs more there, for all alike.
   * @param instructions guest instructions that each benchmark executes at that scale
   */
  interpreterTable(instructions: Readonly<Record<string, number>>): string {
    const compared = this.contendersAt('small');
    const rows = this.benchmarks.map(({ name, small }) => {
      const seconds = this.cpu(name, 'interpreted', small);
      return [
        name,
        `${small}`,
        ...compared.map((contender) => formatNumber(this.cpu(name, contender, small), 3)),
        formatNumber(ratio(seconds, this.cpu(name, 'qemu', small))),
        formatNumber(ratio(seconds, this.cpu(name, 'blocks', small))),
        formatNumber(ratio(instructions[name] / 1e6, seconds), 1),
      ];
    });
    return formatTable(['benchmark', 'scale', ...compared, 'interpreted/qemu', 'interpreted/blocks', 'MIPS'], rows);
  }

  /** Who was measured at a scale, in the order of measuring. */
  private contendersAt(scale: 'scale' | 'small'): Contender[] {
    const [first] = this.benchmarks;
    return this.series
      .filter((series) => series.benchmark === first.name && series.scale === first[scale])
      .map(({ contender }) => contender);
  }

  /** Median processor time in seconds; undefined where it was not measured. */
  private cpu(name: string, contender: Contender, scale: number): number | undefined {
    const found = this.series.find(
      (series) => series.benchmark === name && series.contender === contender && series.scale === scale,
    );
    return found === undefined ? undefined : median(found.cpu);
  }

  /** For each benchmark, one contender's time over another's; undefined where one of them was not measured. */
  private ratios(contender: Contender, base: Contender): (number | undefined)[] {
    return this.benchmarks.map(({ name, scale }) =>
      ratio(this.cpu(name, contender, scale), this.cpu(name, base, scale)),
    );
  }
}

function ratio(numerator: number | undefined, denominator: number | undefined): number | undefined {
  return numerator === undefined || denominator === undefined ? undefined : numerator / denominator;
}

function isMeasured(value: number | undefined): value is number {
  return value !== undefined;
}

/** A number with so many digits behind the point, or a dash for a value that was not measured. */
function formatNumber(value: number | undefined, digits = 2): string {
  return value === undefined || Number.isNaN(value) ? '-' : value.toFixed(digits);
}
