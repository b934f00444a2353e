/** A pane with a listing, in which what is pointed at in any pane lights up. */
import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { point, pointed, select, selected } from './chosen.ts';
import { extensionsFor, light } from './code-view.ts';
import { instructionAt, isLit, type Listing, type Span } from './listing.ts';

export interface CodePaneProps {
  readonly listing: Listing;
  /** What the listing is of, for who cannot see it. */
  readonly label: string;
}

/** The pane in which an instruction was selected by the pointer: it stays as it is, the others go there. */
let origin: EditorView | undefined;

export function CodePane({ listing, label }: CodePaneProps) {
  const parent = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView | undefined>(undefined);
  useEffect(() => {
    const view = new EditorView({
      parent: parent.current as HTMLElement,
      state: EditorState.create({
        doc: listing.text,
        extensions: [
          extensionsFor(listing, {
            point,
            select: ([{ from }]) => {
              origin = view;
              select(from);
              origin = undefined;
            },
          }),
          EditorView.contentAttributes.of({ 'aria-label': label, 'aria-readonly': 'true' }),
        ],
      }),
    });
    editor.current = view;
    showLit(view, listing, pointed.peek(), instructionAt(selected.peek()), true);
    return () => view.destroy();
  }, [listing, label]);
  const lastSelected = useRef(selected.peek());
  useSignalEffect(() => {
    const [at, code] = [selected.value, pointed.value];
    const isMoved = at !== lastSelected.current;
    lastSelected.current = at;
    if (editor.current !== undefined) {
      showLit(editor.current, listing, code, instructionAt(at), isMoved && origin !== editor.current);
    }
  });
  return <div class="code" ref={parent} />;
}

/** @param isScrolled whether the first line of what is selected comes into view */
function showLit(
  view: EditorView,
  { spans }: Listing,
  pointedCode: readonly Span[],
  selectedCode: readonly Span[],
  isScrolled: boolean,
): void {
  const line = isScrolled ? spans.findIndex((own) => isLit(own, selectedCode)) : -1;
  const scroll =
    line < 0 ? [] : [EditorView.scrollIntoView(view.state.doc.line(line + 1).from, { y: 'center', x: 'nearest' })];
  view.dispatch({ effects: [light.of({ pointed: pointedCode, selected: selectedCode }), ...scroll] });
}
