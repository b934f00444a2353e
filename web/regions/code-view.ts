/** A read-only listing of one stage by CodeMirror: coloured, with headings of blocks, and lines that light up together. */
import { type Extension, RangeSetBuilder, StateEffect, StateField } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  EditorView,
  GutterMarker,
  gutter,
  MatchDecorator,
  ViewPlugin,
  type ViewUpdate,
  WidgetType,
} from '@codemirror/view';
import { tokenKinds, tokens } from '../../src/inspect/colours.ts';
import type { StageText } from '../../src/inspect/page-data.ts';
import type { Stage } from '../../src/inspect/stage-names.ts';
import { instructionAt, isLit, type Span } from './chosen.ts';
import { hex } from './numbers.ts';

export interface Listing {
  /** The lines, separated by line feeds. */
  readonly text: string;
  /** What colours the text: a stage's tokens; undefined for none. */
  readonly stage: Stage | undefined;
  /** By line: the guest code that it belongs to; empty for none. */
  readonly spans: readonly (readonly Span[])[];
  /** By line: what stands at the margin; empty for nothing. Undefined: there is no margin. */
  readonly labels: readonly string[] | undefined;
  /** By line: a colour that shows how hot it is. */
  readonly heats: readonly string[];
  /** Headings, by the index of the line that they stand above. */
  readonly headings: ReadonlyMap<number, Heading>;
}

export interface Heading {
  readonly text: string;
  /** On the right. */
  readonly count: string;
}

/** How a stage of a region is listed. @param isLinear whether block follows on block, each under a heading */
export function listingOf(
  { stage, text, pcs, blocks }: StageText,
  isLinear: boolean,
  ofBlock: (block: number) => { readonly heading: Heading; readonly heat: string },
): Listing {
  const known = blocks.map((block) => (block < 0 ? undefined : ofBlock(block)));
  const headings = new Map<number, Heading>();
  if (isLinear) {
    known.forEach((block, line) => {
      if (block !== undefined && blocks[line] !== blocks[line - 1]) headings.set(line, block.heading);
    });
  }
  return {
    text,
    stage,
    spans: pcs.map(instructionAt),
    labels: stage === 'guest' ? pcs.map(hex) : undefined,
    heats: known.map((block) => block?.heat ?? ''),
    headings,
  };
}

class HeadingWidget extends WidgetType {
  private readonly heading: Heading;

  constructor(heading: Heading) {
    super();
    this.heading = heading;
  }

  override eq({ heading }: HeadingWidget): boolean {
    return heading.text === this.heading.text && heading.count === this.heading.count;
  }

  override toDOM(): HTMLElement {
    const line = document.createElement('div');
    line.className = 'block-heading';
    const count = document.createElement('span');
    count.textContent = this.heading.count;
    line.append(this.heading.text, count);
    return line;
  }

  override get estimatedHeight(): number {
    return 26;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

class HeatMarker extends GutterMarker {
  readonly colour: string;

  constructor(colour: string) {
    super();
    this.colour = colour;
  }

  override eq({ colour }: HeatMarker): boolean {
    return colour === this.colour;
  }

  override toDOM(): Node {
    const mark = document.createElement('i');
    mark.style.background = this.colour;
    return mark;
  }
}

class LabelMarker extends GutterMarker {
  private readonly label: string;

  constructor(label: string) {
    super();
    this.label = label;
  }

  override eq({ label }: LabelMarker): boolean {
    return label === this.label;
  }

  override toDOM(): Node {
    return document.createTextNode(this.label);
  }
}

/** Colours of tokens, in what can be seen. */
function tokenColours(stage: Stage): Extension {
  const marks = Object.fromEntries(tokenKinds.map((kind) => [kind, Decoration.mark({ class: `token-${kind}` })]));
  const decorator = new MatchDecorator({
    regexp: tokens[stage],
    decorate: (add, from, to, match) => {
      const kind = tokenKinds.find((name) => match.groups?.[name] !== undefined);
      if (kind !== undefined) add(from, to, marks[kind]);
    },
  });
  return ViewPlugin.define(
    (view) => ({
      decorations: decorator.createDeco(view),
      update(update: ViewUpdate) {
        this.decorations = decorator.updateDeco(update, this.decorations);
      },
    }),
    { decorations: (plugin) => plugin.decorations },
  );
}

interface Lit {
  readonly pointed: readonly Span[];
  readonly selected: readonly Span[];
}

export const light = StateEffect.define<Lit>();

const pointedLine = Decoration.line({ class: 'pointed' });
const selectedLine = Decoration.line({ class: 'selected' });

/** Lights up the lines that belong to what is pointed at or selected. */
function litLines(spans: Listing['spans']): Extension {
  const field = StateField.define<DecorationSet>({
    create: () => Decoration.none,
    update(lines, { state, effects }) {
      const wanted = effects.findLast((effect) => effect.is(light));
      if (wanted === undefined) return lines;
      const { pointed, selected }: Lit = wanted.value;
      const builder = new RangeSetBuilder<Decoration>();
      spans.forEach((own, index) => {
        const mark = isLit(own, pointed) ? pointedLine : isLit(own, selected) ? selectedLine : undefined;
        if (mark === undefined) return;
        const { from } = state.doc.line(index + 1);
        builder.add(from, from, mark);
      });
      return builder.finish();
    },
    provide: (field) => EditorView.decorations.from(field),
  });
  return field;
}

function headingsOf({ headings }: Listing): Extension {
  return StateField.define<DecorationSet>({
    create({ doc }) {
      const builder = new RangeSetBuilder<Decoration>();
      for (const [line, heading] of headings) {
        const { from } = doc.line(line + 1);
        const deco = Decoration.widget({ widget: new HeadingWidget(heading), block: true, side: -1 });
        builder.add(from, from, deco);
      }
      return builder.finish();
    },
    update: (decorations) => decorations,
    provide: (field) => EditorView.decorations.from(field),
  });
}

export interface Pointer {
  /** The pointer is at a line that belongs to guest code; empty: at none. */
  point(spans: readonly Span[]): void;
  select(spans: readonly Span[]): void;
}

export function extensionsFor(listing: Listing, pointer: Pointer): Extension {
  const { spans, labels, heats, stage } = listing;
  const lineAt = (view: EditorView, event: MouseEvent): readonly Span[] => {
    const position = view.posAtCoords({ x: event.clientX, y: event.clientY }, false);
    const { number } = view.state.doc.lineAt(position);
    const { top, bottom } = view.lineBlockAt(position);
    const y = event.clientY - view.documentTop;
    // Below the last line and on headings there is none.
    return y < top || y > bottom ? [] : spans[number - 1];
  };
  const isHeading = ({ target }: Event): boolean =>
    target instanceof Element && target.closest('.block-heading') !== null;
  const markers = new Map<string, HeatMarker>();
  const markerOf = (colour: string): HeatMarker => {
    const held = markers.get(colour) ?? new HeatMarker(colour);
    markers.set(colour, held);
    return held;
  };
  const indexOf = (view: EditorView, from: number): number => view.state.doc.lineAt(from).number - 1;
  return [
    EditorView.editable.of(false),
    gutter({
      class: 'heat-margin',
      lineMarker: (view, { from }) => {
        const colour = heats[indexOf(view, from)];
        return colour === '' || colour === undefined ? null : markerOf(colour);
      },
    }),
    labels === undefined
      ? []
      : gutter({ class: 'label-margin', lineMarker: (view, { from }) => new LabelMarker(labels[indexOf(view, from)]) }),
    stage === undefined ? [] : tokenColours(stage),
    headingsOf(listing),
    litLines(spans),
    EditorView.domEventHandlers({
      mousemove: (event, view) => pointer.point(isHeading(event) ? [] : lineAt(view, event)),
      mouseleave: () => pointer.point([]),
      click: (event, view) => {
        const lines = isHeading(event) ? [] : lineAt(view, event);
        // Whoever marks text does not select an instruction.
        if (lines.length > 0 && document.getSelection()?.isCollapsed !== false) pointer.select(lines);
      },
    }),
  ];
}
