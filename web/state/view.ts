/** What the page shows now. The address follows it, and it follows the address. */
import { computed, effect, signal } from '@preact/signals';
import { emptyView, linkTo, type View, viewOf } from './link.ts';

export const view = signal<View>(emptyView);

/** What of the address is worth a step back: the same place with other words in the search box is not. */
const placeOf = ({ tab, region }: View): string => `${tab} ${region}`;

export function change(changes: Partial<View>): void {
  view.value = { ...view.value, ...changes };
}

/** Begins with what the address says, and keeps both the same from then on. */
export function followAddress(): void {
  view.value = viewOf(location.hash);
  let place = placeOf(view.value);
  addEventListener('popstate', () => {
    view.value = viewOf(location.hash);
    place = placeOf(view.value);
  });
  effect(() => {
    const fragment = linkTo(view.value);
    if (fragment === location.hash.slice(1)) return;
    const address = fragment === '' ? location.pathname + location.search : `#${fragment}`;
    const isStep = placeOf(view.value) !== place;
    place = placeOf(view.value);
    if (isStep) history.pushState(null, '', address);
    else history.replaceState(null, '', address);
  });
}

const systemIsDark = matchMedia('(prefers-color-scheme: dark)');
const systemTheme = signal(systemIsDark.matches ? 'dark' : 'light');
systemIsDark.addEventListener('change', ({ matches }) => {
  systemTheme.value = matches ? 'dark' : 'light';
});

/** The theme that the page has: the chosen one, or the system's. */
export const theme = computed(() => view.value.theme ?? systemTheme.value);

export function switchTheme(): void {
  change({ theme: theme.value === 'dark' ? 'light' : 'dark' });
}
