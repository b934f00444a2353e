/** The page as its user meets it, in a browser: a synthetic report of 10,000 regions, from a file, without a network. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pageOf } from '../../src/inspect/page.ts';
import { complaintsOf, hasBrowser, pageTemplate, startBrowser } from './browser.ts';
import { syntheticRegions, syntheticSummary } from './synthetic.ts';

if (!hasBrowser) console.log('left out: the page in a browser, which needs chromium (apt-get install chromium)');

const count = 10_000;
const folder = mkdtempSync(join(tmpdir(), 'stele-page-'));
const address = pathToFileURL(join(folder, 'report.html')).href;
const source = Array.from({ length: 60 }, (_, index) => `line ${index + 1} of the loop`).join('\n');

beforeAll(async () => {
  const template = await pageTemplate();
  const page = await pageOf(syntheticRegions(count), syntheticSummary, {
    template,
    readSource: () => source,
    progress: () => {},
  });
  writeFileSync(join(folder, 'report.html'), page);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

test('the page names nothing outside of itself', async () => {
  const template = await pageTemplate();
  const named = [...template.matchAll(/<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)="([^"]*)"/g)];
  expect(named.map(([, target]) => target)).toEqual(['data:,']);
  expect(template).toContain('<div id="page"></div>');
});

describe.runIf(hasBrowser)('in a browser', () => {
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(async () => await browser?.close());
  beforeEach(async () => {
    const context = await browser.newContext({ offline: true, viewport: { width: 1600, height: 900 } });
    page = await context.newPage();
    complaints = complaintsOf(page);
  });
  afterEach(async () => {
    await page.context().close();
    expect(complaints).toEqual([]);
  });

  const open = async (fragment = ''): Promise<void> => {
    await page.goto('about:blank');
    await page.goto(address + (fragment === '' ? '' : `#${fragment}`));
    await page.locator('.pane.guest .cm-line').first().waitFor();
  };
  const pane = (id: string): Locator => page.locator(`.pane.${id}`);
  const line = (id: string, text: string): Locator => pane(id).locator('.cm-line', { hasText: text }).first();
  const texts = async (lines: Locator): Promise<string[]> => await lines.allTextContents();
  /** What the address says, as soon as it does. */
  const expectFragment = async (field: string, value: string | null): Promise<void> => {
    const fragment = (): URLSearchParams => new URLSearchParams(new URL(page.url()).hash.slice(1));
    await expect.poll(() => fragment().get(field)).toBe(value);
  };
  /** How many there are, as soon as there are as many. */
  const expectCount = async (found: Locator, count: number): Promise<void> => {
    await expect.poll(async () => await found.count()).toBe(count);
  };
  const expectChosen = async (name: string): Promise<void> => {
    await page.locator('.region-head h2', { hasText: new RegExp(`^${name}$`) }).waitFor();
    // The list says the same.
    expect(await page.locator('.row[aria-selected="true"] .name').textContent()).toBe(name);
  };

  test('10,000 regions by heat: only what can be seen is drawn, and the end can be reached', async () => {
    await open();
    const rows = page.locator('.row');
    expect(await rows.first().textContent()).toMatch(/^function_0JS/);
    expect(await rows.count()).toBeLessThan(100);
    const shares = await rows.locator('.number').allTextContents();
    const values = shares.map((share) => Number.parseFloat(share.replace('<', '')));
    expect(values).toEqual(values.toSorted((a, b) => b - a));
    await page.locator('.rows').evaluate((list) => list.scrollTo(0, list.scrollHeight));
    await page.locator('.row .name', { hasText: 'function_9999' }).click();
    await expectChosen('function_9999');
    expect(await rows.count()).toBeLessThan(100);
    await expectFragment('region', '9999');
  });

  test('symbols, addresses and source lines are found', async () => {
    await open();
    const search = page.locator('#search');
    const names = page.locator('.row .name');
    await search.fill('function_123');
    await page.locator('.order', { hasText: '11 of 10,000' }).waitFor();
    expect((await texts(names)).toSorted()).toEqual(
      ['', 0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => `function_123${digit}`).toSorted(),
    );
    // The third instruction of the second block of region 4660: 0x10000000 + 64 * 4660 + 16 + 8.
    await search.fill('0x10048d18');
    await page.locator('.order', { hasText: '1 of 10,000' }).waitFor();
    expect(await texts(names)).toEqual(['function_4660']);
    await search.press('Enter');
    await expectChosen('function_4660');
    await expectFragment('at', '10048d18');
    await expectCount(pane('guest').locator('.selected'), 1);
    await search.fill('loop.c:77');
    await page.locator('.row .name', { hasText: /^function_77$/ }).waitFor();
    await search.fill('nowhere');
    await page.locator('.regions .empty').waitFor();
    await expectCount(names, 0);
  });

  test('the list is sorted by what one likes', async () => {
    await open();
    await page.locator('.order select').selectOption('name');
    await page.locator('.row .name', { hasText: /^function_10$/ }).waitFor();
    const names = (await texts(page.locator('.row .name'))).slice(0, 3);
    expect(names).toEqual(['function_0', 'function_1', 'function_10']);
    await expectFragment('sort', 'name');
  });

  test('the graph has the blocks and the counts of each way between them', async () => {
    await open('region=9');
    const graph = pane('graph');
    await graph.locator('.node').first().waitFor();
    await expectCount(graph.locator('.node'), 4);
    // Region 9's loop runs a million times: it is entered with a tenth of that.
    const edges = await texts(graph.locator('.edge text'));
    expect(edges.toSorted()).toEqual(['100K', '100K', '1M', '900K']);
    expect(await texts(graph.locator('.edge.back text'))).toEqual(['900K']);
    await graph.locator('.node[data-block="10000250"]').click();
    await expectFragment('at', '10000250');
    await expect.poll(async () => await texts(pane('guest').locator('.selected'))).toEqual(['addi    r3,r3,7']);
    await graph.locator('.node[data-block="10000260"]').hover();
    await expectCount(pane('guest').locator('.pointed'), 4);
    await expectCount(pane('optimized').locator('.pointed'), 8);
  });

  test('what became of a guest instruction lights up in every pane, and the other way round', async () => {
    await open('panes=graph.source.guest.ir.optimized.code');
    await pane('graph').locator('.node').first().waitFor();
    const lit = async (id: string): Promise<string[]> => await texts(pane(id).locator('.pointed'));
    await pane('guest').locator('.cm-line').nth(5).hover();
    await pane('guest').locator('.pointed').waitFor();
    expect(await lit('ir')).toEqual(['v0 = get.i32 r3', 'v1 = i32.const 7', 'set.i32 r3, v1']);
    expect(await lit('optimized')).toEqual(['v1 = i32.const 7', 'set.i32 r3, v1 ; to local']);
    expect(await lit('code')).toHaveLength(6);
    expect(await lit('source')).toEqual(['line 20 of the loop']);
    expect(await pane('graph').locator('.node.pointed').getAttribute('data-block')).toBe('10000010');
    // Back: from a line of code, the first guest instruction's.
    await pane('code').locator('.cm-line').nth(2).hover();
    await pane('guest').locator('.cm-line.pointed').first().waitFor();
    expect(await pane('guest').locator('.cm-line').nth(0).getAttribute('class')).toContain('pointed');
    expect(await lit('guest')).toHaveLength(1);
    // From a source line, which all of its block came from.
    await line('source', 'line 10 of the loop').hover();
    await pane('guest').locator('.cm-line.pointed').nth(3).waitFor();
    expect(await lit('ir')).toHaveLength(12);
    // Away from all code nothing is lit.
    await page.locator('.brand').hover();
    await expectCount(page.locator('.pointed'), 0);
  });

  test('a click selects an instruction; the other panes go there, and the address keeps it', async () => {
    await open();
    await pane('guest').locator('.cm-line').nth(15).click();
    await expectFragment('at', '1000003c');
    const far = pane('code').locator('.cm-line.selected').first();
    await far.waitFor();
    const [box, around] = [await far.boundingBox(), await pane('code').boundingBox()];
    expect(box?.y).toBeGreaterThan(around?.y as number);
    expect(box?.y).toBeLessThan((around?.y as number) + (around?.height as number));
    await pane('guest').locator('.cm-line').nth(15).click();
    await expectFragment('at', null);
  });

  test('source lines stand beside the code that came from them', async () => {
    await open('panes=source.guest');
    expect(await texts(pane('source').locator('.block-heading'))).toEqual(
      [7, 17, 27, 37].map((line) => `loop.c:${line}`),
    );
    expect((await texts(pane('source').locator('.cm-line'))).slice(0, 4)).toEqual([
      'line 7 of the loop',
      'line 8 of the loop',
      'line 9 of the loop',
      'line 10 of the loop',
    ]);
  });

  test('a link opens what it was taken from', async () => {
    await open();
    await page.locator('.row .name', { hasText: /^function_4$/ }).click();
    await expectChosen('function_4');
    await pane('guest').locator('.cm-line').nth(2).click();
    await page.keyboard.press('4');
    await page.keyboard.press('t');
    await expectFragment('theme', 'dark');
    const link = page.url();
    const other = await page.context().newPage();
    await other.goto(link);
    await other.locator('.pane.guest .cm-line.selected').waitFor();
    expect(await other.locator('.region-head h2').textContent()).toBe('function_4');
    await expectCount(other.locator('.pane.ir'), 1);
    expect(await other.locator('html').getAttribute('data-theme')).toBe('dark');
    // And a step back is the region before.
    await page.goBack();
    await expectChosen('function_0');
  });

  test('light and dark follow the system, and a switch', async () => {
    const background = async (): Promise<string> =>
      await page.evaluate('getComputedStyle(document.body).backgroundColor');
    await page.emulateMedia({ colorScheme: 'dark' });
    await open();
    const dark = await background();
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(background).not.toBe(dark);
    const light = await background();
    await page.locator('.bar .icon', { hasText: 'Dark' }).click();
    await expect.poll(background).toBe(dark);
    await expectFragment('theme', 'dark');
    await page.locator('.bar .icon', { hasText: 'Light' }).click();
    await expect.poll(background).toBe(light);
  });

  test('everything can be reached by keys, which "?" tells', async () => {
    await open();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await expectChosen('function_2');
    await page.keyboard.press('k');
    await expectChosen('function_1');
    await page.keyboard.press('n');
    await page.keyboard.press('n');
    await expectFragment('at', '10000044');
    await page.keyboard.press('p');
    await expectFragment('at', '10000040');
    await page.keyboard.press('Escape');
    await expectFragment('at', null);
    await page.keyboard.press('3');
    await expectCount(pane('guest'), 0);
    await page.keyboard.press('3');
    await pane('guest').waitFor();
    await page.keyboard.press('?');
    const help = page.locator('dialog.help');
    await help.waitFor();
    await expectCount(help.locator('kbd', { hasText: '/' }), 1);
    await page.keyboard.press('Escape');
    await help.waitFor({ state: 'hidden' });
    await page.keyboard.press(']');
    await page.locator('.time').waitFor();
    await page.keyboard.press('/');
    await expectCount(page.locator('#search:focus'), 1);
    // What is typed there is text.
    await page.keyboard.type('77?');
    expect(await page.locator('#search').inputValue()).toBe('77?');
    expect(await help.isVisible()).toBe(false);
    await page.keyboard.press('Escape');
    await page.locator('.rows').focus();
    await page.locator('#search').fill('');
    await page.locator('.rows').press('End');
    await expectChosen('function_9999');
  });

  test('the time line shows tiers, work and regions, and leads to these', async () => {
    await open();
    await page.locator('[role="tab"]', { hasText: 'Time line' }).click();
    const charts = page.locator('.time .chart svg');
    await charts.nth(2).waitFor();
    await expectCount(charts, 3);
    expect(await charts.nth(0).locator('rect').count()).toBeGreaterThan(4);
    await expectCount(page.locator('.time tbody tr'), 3);
    expect(await page.locator('.time tbody tr').first().textContent()).toMatch(/^interpreted1,000,000/);
    const lanes = page.locator('.lanes button');
    await expectCount(lanes, 40);
    await lanes.nth(5).click();
    await expectChosen('function_5');
  });

  test.each([360, 768, 1280, 1920])('at a width of %i nothing is cut off sideways', async (width) => {
    await page.setViewportSize({ width, height: 800 });
    for (const tab of ['', 'time']) {
      await open();
      if (tab !== '') await page.locator('[role="tab"]').nth(1).click();
      const sizes = await page.evaluate('[document.documentElement.scrollWidth, document.body.scrollWidth]');
      expect(sizes).toEqual([width, width]);
    }
    // The bar's buttons are all there.
    for (const button of await page.locator('.bar button').all()) {
      const box = await button.boundingBox();
      expect((box?.x as number) + (box?.width as number)).toBeLessThanOrEqual(width);
    }
  });
});
