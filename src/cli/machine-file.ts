/** Files of machines: YAML, of which JSON is a part. Every mistake is told with its place in the file, all of them at once. */
import { closestMatch } from 'leven';
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { absolutePath } from '../host/command.ts';
import {
  hasTextValue,
  type MachineRow,
  type MachineSettings,
  machineRows,
  setMachineSetting,
} from './machine-options.ts';
import { type OptionValue, parseValue, UsageError } from './options.ts';

/** A machine as somebody asked for it. */
export interface MachineRequest {
  readonly name: string;
  readonly settings: MachineSettings;
  /** Where something is said of it, for messages: `machines.yaml:4:5: life`. @param key of the settings */
  place(key?: keyof MachineSettings): string;
}

export interface MachineFile {
  /** What holds for all that say nothing of it themselves. */
  readonly defaults: MachineSettings;
  readonly machines: readonly MachineRequest[];
  /** What is wrong, in the order of the file. */
  readonly problems: readonly string[];
}

/** Names have to be fit for file names, and for the beginnings of lines. */
const namePattern = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,39}$/u;
const topKeys = ['defaults', 'machines'];

/** @param path of the file, as the user gave it */
export function parseMachineFile(text: string, path: string): MachineFile {
  return new Reader(text, path).read();
}

class Reader {
  private readonly text: string;
  private readonly path: string;
  private readonly folder: string;
  private defaults: MachineSettings = {};
  private readonly lines = new LineCounter();
  private readonly problems: { readonly offset: number; readonly message: string }[] = [];
  private readonly document: ReturnType<typeof parseDocument>;

  constructor(text: string, path: string) {
    this.text = text;
    this.path = path;
    this.folder = absolutePath(`${path}/..`);
    this.document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false });
  }

  read(): MachineFile {
    const { document } = this;
    for (const { pos, message } of [...document.errors, ...document.warnings]) this.complain(pos[0], message);
    const machines = this.problems.length === 0 ? this.readTop(document.contents) : [];
    const problems = this.problems
      .toSorted((a, b) => a.offset - b.offset)
      .map(({ offset, message }) => `${this.at(offset)}: ${message}`);
    return { defaults: this.defaults, machines, problems };
  }

  private readTop(node: Node | null): MachineRequest[] {
    if (!isMap(node)) {
      this.complain(offsetOf(node), 'the file does not hold a mapping with the key "machines"');
      return [];
    }
    const places = new Map<string, number>();
    const entries = this.entries(node, 'the file', topKeys);
    for (const { key, value } of entries) {
      if (key === 'defaults') this.defaults = this.settings(value, 'defaults', places);
    }
    const found = entries.find(({ key }) => key === 'machines');
    if (found === undefined) {
      this.complain(offsetOf(node), 'there is no key "machines"');
      return [];
    }
    if (!isMap(found.value) || found.value.items.length === 0) {
      this.complain(found.offset, 'machines: a mapping from names to machines is needed');
      return [];
    }
    return this.entries(found.value, 'machines').map(({ key: name, value, offset }) => {
      if (!namePattern.test(name)) {
        this.complain(offset, `machines: "${name}" is not a name: letters, digits, "_", "." and "-", at most 40`);
      }
      const own = new Map(places);
      return {
        name,
        settings: this.settings(value, name, own, offset),
        place: (key) => `${this.at((key === undefined ? undefined : own.get(key)) ?? offset)}: ${name}`,
      };
    });
  }

  /** What a mapping says of a machine. @param places takes the place of each key */
  private settings(
    node: Node | null,
    where: string,
    places: Map<string, number>,
    offset = offsetOf(node),
  ): MachineSettings {
    const settings: MachineSettings = {};
    if (!isMap(node)) {
      const names = machineRows.map(({ long }) => long).join(', ');
      this.complain(offset, `${where}: a mapping with some of these keys is needed: ${names}`);
      return settings;
    }
    const keys = machineRows.map(({ long }) => long);
    for (const { key, value, offset: place } of this.entries(node, where, keys)) {
      const row = machineRows.find(({ long }) => long === key)!;
      places.set(row.key, place);
      try {
        setMachineSetting(settings, row, this.valueOf(row, value, `${where}: ${key}`));
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        this.complain(value === null ? place : offsetOf(value), error.message);
      }
    }
    return settings;
  }

  /** @throws UsageError */
  private valueOf(row: MachineRow, node: Node | null, where: string): OptionValue | MachineSettings['env'] {
    if (row.kind === 'list') {
      if (!isSeq(node)) throw new UsageError(`${where}: a list of texts is needed`);
      return node.items.map((item) => this.textOf(this.resolved(item as Node), where));
    }
    if (row.kind === 'variables') return this.variablesOf(node, where);
    const text = this.textOf(node, where);
    if (text === '') throw new UsageError(`${where}: a value is needed`);
    if (row.isPath) return absolutePath(`${text.startsWith('/') ? '' : `${this.folder}/`}${text}`);
    return hasTextValue(row) ? parseValue(row, text, where) : text;
  }

  /** @throws UsageError */
  private variablesOf(node: Node | null, where: string): NonNullable<MachineSettings['env']> {
    if (!isMap(node)) throw new UsageError(`${where}: a mapping from names to texts is needed`);
    const variables: Record<string, string | null> = {};
    for (const { key, value } of this.entries(node, where)) {
      variables[key] = isScalar(value) && value.value !== null ? this.textOf(value, `${where}: ${key}`) : null;
      if (value !== null && !isScalar(value)) throw new UsageError(`${where}: ${key}: a text is needed`);
    }
    return variables;
  }

  /** A text, number or truth value as it stands in the file: 010 and 1.50 are what they look like. @throws UsageError */
  private textOf(node: Node | null, where: string): string {
    if (!isScalar(node) || node.value === null) throw new UsageError(`${where}: a text or a number is needed`);
    return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
  }

  private resolved(node: Node | null): Node | null {
    return isAlias(node) ? ((node.resolve(this.document) as Node | undefined) ?? null) : node;
  }

  /** The entries of a mapping whose keys are known. @param known undefined: any */
  private entries(
    map: YAMLMap,
    where: string,
    known?: readonly string[],
  ): { readonly key: string; readonly value: Node | null; readonly offset: number }[] {
    return map.items.flatMap((pair) => {
      if (!isPair(pair)) return [];
      const keyNode = pair.key as Node | null;
      const offset = offsetOf(keyNode);
      const key = isScalar(keyNode) ? String(keyNode.source ?? keyNode.value) : '';
      if (known !== undefined && !known.includes(key)) {
        const meant = closestMatch(key, known, { maxDistance: 3 });
        const hint = meant === undefined ? `there are ${known.join(', ')}` : `did you mean "${meant}"?`;
        this.complain(offset, `${where}: there is no key "${key}"; ${hint}`);
        return [];
      }
      return [{ key, value: this.resolved(pair.value as Node | null), offset }];
    });
  }

  private complain(offset: number, message: string): void {
    this.problems.push({ offset, message });
  }

  private at(offset: number): string {
    const { line, col } = this.lines.linePos(Math.min(offset, this.text.length));
    return `${this.path}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  }
}

function offsetOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}
