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
import type { Stage } from '../../src/inspect/stage-names.ts';
import { type Heading, isLit, type Listing, type Span } from './listing.ts';

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

/** By whether a line is selected, then pointed at. */
const litLine = ['', 'pointed', 'selected', 'selected pointed'].map((name) => Decoration.line({ class: name }));

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
        const kind = Number(isLit(own, pointed)) + 2 * Number(isLit(own, selected));
        if (kind === 0) return;
        const { from } = state.doc.line(index + 1);
        builder.add(from, from, litLine[kind]);
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
