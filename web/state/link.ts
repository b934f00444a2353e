/** What the page shows as the fragment of its address, so that a link shows somebody else the same. */

export const themes = ['light', 'dark'] as const;
export type Theme = (typeof themes)[number];

export interface View {
  /** The tab's id; empty for the first. */
  readonly tab: string;
  /** The region's number in the report; undefined for the hottest. */
  readonly region: number | undefined;
  /** The guest instruction that is selected. */
  readonly at: number | undefined;
  /** The panes that are shown, by id, in their order; undefined for those that the page chooses. */
  readonly panes: readonly string[] | undefined;
  /** What the list of regions is searched for. */
  readonly search: string;
  /** What the list is sorted by; empty for heat. */
  readonly sort: string;
  /** Undefined: as the system has it. */
  readonly theme: Theme | undefined;
}

export const emptyView: View = {
  tab: '',
  region: undefined,
  at: undefined,
  panes: undefined,
  search: '',
  sort: '',
  theme: undefined,
};

/** @returns the fragment, without "#"; empty for what is shown without one */
export function linkTo(view: View): string {
  const fields = new URLSearchParams();
  if (view.tab !== '') fields.set('tab', view.tab);
  if (view.region !== undefined) fields.set('region', String(view.region));
  if (view.at !== undefined) fields.set('at', view.at.toString(16));
  if (view.panes !== undefined) fields.set('panes', view.panes.join('.'));
  if (view.search !== '') fields.set('search', view.search);
  if (view.sort !== '') fields.set('sort', view.sort);
  if (view.theme !== undefined) fields.set('theme', view.theme);
  return fields.toString();
}

/** What a fragment shows; fields that make no sense are as if they were not there. */
export function viewOf(fragment: string): View {
  const fields = new URLSearchParams(fragment.replace(/^#/, ''));
  const text = (name: string): string => fields.get(name) ?? '';
  const panes = fields.get('panes');
  return {
    tab: text('tab'),
    region: /^\d{1,9}$/.test(text('region')) ? Number(text('region')) : undefined,
    at: /^[\da-f]{1,8}$/i.test(text('at')) ? Number.parseInt(text('at'), 16) : undefined,
    panes: panes === null ? undefined : panes.split('.').filter((name) => name !== ''),
    search: text('search'),
    sort: text('sort'),
    theme: themes.find((theme) => theme === text('theme')),
  };
}
