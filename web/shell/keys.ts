/** Keys that work everywhere on the page, but where text is typed. The help lists them. */
import { chooseNext, selectNext } from '../regions/chosen.ts';
import { panes, togglePane } from '../regions/panes.tsx';
import { change, switchTheme, view } from '../state/view.ts';
import { helpIsOpen } from './help.tsx';
import { tabs } from './tabs.ts';

export interface KeyRow {
  /** As KeyboardEvent.key has it. */
  readonly keys: readonly string[];
  /** As the help shows them. */
  readonly shown: readonly string[];
  readonly doc: string;
  act(key: string): void;
}

// biome-ignore format: one row per line
export const keyRows: readonly KeyRow[] = [
  { keys: ['/'], shown: ['/'], doc: 'search by symbol, address or source line', act: () => focusSearch() },
  { keys: ['j', 'k'], shown: ['j', 'k'], doc: 'the next region of the list, the one before', act: (key) => chooseNext(key === 'j' ? 1 : -1) },
  { keys: ['n', 'p'], shown: ['n', 'p'], doc: 'select the next guest instruction, the one before', act: (key) => selectNext(key === 'n' ? 1 : -1) },
  { keys: ['Escape'], shown: ['Esc'], doc: 'select nothing; leave the search', act: () => change({ at: undefined }) },
  { keys: panes.map((_, index) => String(index + 1)), shown: ['1', '…', String(panes.length)], doc: `show or hide a pane: ${panes.map(({ title }) => title).join(', ')}`, act: (key) => togglePane(panes[Number(key) - 1].id) },
  { keys: ['[', ']'], shown: ['[', ']'], doc: 'the tab on the left, on the right', act: (key) => openTab(key === ']' ? 1 : -1) },
  { keys: ['t'], shown: ['t'], doc: 'switch between light and dark', act: switchTheme },
  { keys: ['?'], shown: ['?'], doc: 'these keys', act: () => { helpIsOpen.value = true; } },
];

function focusSearch(): void {
  change({ tab: tabs[0].id });
  // The list may be drawn only now.
  requestAnimationFrame(() => document.querySelector<HTMLInputElement>('#search')?.select());
}

function openTab(distance: number): void {
  const at = tabs.findIndex(({ id }) => id === view.value.tab);
  const next = tabs[(Math.max(at, 0) + distance + tabs.length) % tabs.length];
  change({ tab: next.id });
}

/** Whether keys are text where they go: a search box, a terminal. */
const takesText = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable="true"]');

export function listenToKeys(): void {
  addEventListener('keydown', (event) => {
    const { key, target, ctrlKey, metaKey, altKey, defaultPrevented } = event;
    if (ctrlKey || metaKey || altKey || defaultPrevented || takesText(target) || helpIsOpen.value) return;
    const row = keyRows.find(({ keys }) => keys.includes(key));
    if (row === undefined) return;
    event.preventDefault();
    row.act(key);
  });
}
