/** Programs that run in the page: from a file, where memory is not shared between threads, and served, where it is. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startPageServer } from '../../src/host/page-server.ts';
import { steleEntry } from '../programs/run-guest.ts';
import { complaintsOf, hasBrowser, pageTemplate, startBrowser } from './browser.ts';

if (!hasBrowser) console.log('left out: programs in the page, which need chromium (apt-get install chromium)');

const root = join(import.meta.dirname, '../..');
const guests = join(root, 'test/guests/bin');
const folder = mkdtempSync(join(tmpdir(), 'stele-run-'));
const hostile = join(folder, 'hostile');

function stele(...command: string[]): { readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, [steleEntry(), 'run', ...command], { encoding: 'utf8' });
}

describe.runIf(hasBrowser)('a program in the page', () => {
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let served: string;
  /** What `stele run` lets mandelbrot write. */
  let mandelbrot: string;
  const file = pathToFileURL(join(folder, 'page.html')).href;

  beforeAll(async () => {
    const template = await pageTemplate();
    writeFileSync(join(folder, 'page.html'), template);
    writeFileSync(hostile, readFileSync(join(guests, 'hello')).subarray(0, 60), { mode: 0o755 });
    const server = await startPageServer(0, false);
    served = server.show(template);
    mandelbrot = stele(join(root, 'examples/mandelbrot'), '60', '20', '500').stdout.trimEnd();
    browser = await startBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    process.emit('SIGINT');
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    complaints = complaintsOf(page);
  });
  afterEach(async () => {
    await page.context().close();
    expect(complaints).toEqual([]);
  });

  const open = async (address = file): Promise<void> => {
    await page.goto(`${address}#tab=run`);
    await page.getByRole('textbox', { name: 'Arguments' }).waitFor();
  };
  const choose = (path: string) => page.setInputFiles('#program', path);
  const press = (name: string | RegExp) => page.getByRole('button', { name }).click();
  const status = (text: string | RegExp) => page.getByRole('status').filter({ hasText: text }).waitFor();
  const screen = async (): Promise<string> => {
    const rows = await page.locator('.xterm-rows > div').allTextContents();
    return rows
      .map((row) => row.replaceAll('\u00a0', ' ').trimEnd())
      .join('\n')
      .trimEnd();
  };
  const shows = (text: string) => page.locator('.xterm-rows').filter({ hasText: text }).waitFor();
  /** Runs a program to its end. */
  const run = async (path: string, args = '', end: string | RegExp = 'exit status'): Promise<void> => {
    await choose(path);
    await page.getByRole('textbox', { name: 'Arguments' }).fill(args);
    await press('Run');
    await status(end);
  };

  test.each(['mandelbrot', 'mandelbrot.i386', 'mandelbrot.x86-64'])(
    '%s writes what `stele run` lets it write',
    async (name) => {
      const path = join(root, 'examples', name);
      await open();
      await run(path, '60 20 500', 'exit status 0');
      expect(await screen()).toBe(mandelbrot);
    },
  );

  test.each(['interpreted', 'blocks', 'regions', 'wasm'])(
    'the engine %s runs it, in a page that is served',
    async (engine) => {
      const path = join(root, 'examples/mandelbrot');
      await open(served);
      expect(await page.evaluate('crossOriginIsolated')).toBe(true);
      await page.getByLabel('Engine').selectOption(engine);
      await run(path, '60 20 500', 'exit status 0');
      expect(await screen()).toBe(mandelbrot);
      await page.getByText('Statistics').click();
      expect(await page.locator('.foot pre').textContent()).toMatch(new RegExp(`^engine +${engine}\n`));
    },
  );

  test('what is typed while a program is read counts, and nothing else runs meanwhile', async () => {
    await open();
    await run(join(root, 'examples/mandelbrot'), '20 10 50', 'exit status 0');
    await page.evaluate(`{
      const { arrayBuffer } = Blob.prototype;
      File.prototype.arrayBuffer = async function () {
        await new Promise((done) => setTimeout(done, 500));
        return arrayBuffer.call(this);
      };
    }`);
    await choose(join(root, 'examples/mandelbrot.i386'));
    expect(await page.getByRole('button', { name: 'Run' }).isEnabled()).toBe(false);
    await page.getByRole('textbox', { name: 'Arguments' }).fill('60 20 500');
    await press('Run');
    await status('exit status 0');
    expect(await screen()).toBe(mandelbrot);
  });

  test('a program reads what is typed; ^D is its end of file, and Shift+Tab leaves the terminal', async () => {
    await open();
    await press('PowerPC Forth');
    await shows('ok>');
    await page.keyboard.type('6 7 * .x\b\n');
    await shows('42 ok>');
    await page.keyboard.press('Shift+Tab');
    expect(await page.evaluate('document.activeElement.closest(".place")')).toBeNull();
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.press('Control+d');
    await status('exit status 0');
  });

  test.each(['from a file', 'served'])('an endless loop is stopped and inspected (%s)', async (how) => {
    await open(how === 'served' ? served : file);
    await choose(join(guests, 'endless'));
    await press('Run');
    await status('Running');
    await press('Stop');
    await status('ended by signal 9 (Killed)');
    await press(/^Inspect \d/);
    await page.locator('.row').first().waitFor();
    await page.locator('.pane.guest .cm-line').first().waitFor();
  });

  test('^C ends a loop, whatever engine runs it, where threads share memory', async () => {
    await open(served);
    await choose(join(guests, 'endless'));
    await page.getByLabel('Engine').selectOption('interpreted');
    await press('Run');
    await status('Running');
    await page.keyboard.press('Control+c');
    await status('ended by signal 2 (Interrupt)');
    await shows('^C');
  });

  test('an engine that cannot be interrupted goes with its worker', async () => {
    await open();
    await choose(join(guests, 'endless'));
    await page.getByLabel('Engine').selectOption('interpreted');
    await press('Run');
    await status('Running');
    await press('Stop');
    await status('stopped; what it had translated is lost');
    await run(join(guests, 'hello'));
    expect(await screen()).toBe('hello, world');
  });

  test('what cannot be run, and what dies, is told in the command line’s words', async () => {
    await open();
    await run(hostile, '', 'cannot be run');
    expect((await screen()).replaceAll('\n', '')).toBe(stele(hostile).stderr.trimEnd().replace(hostile, 'hostile'));
    await run(join(guests, 'null-load'), '', 'ended by signal 11 (Segmentation fault)');
    expect(await screen()).toContain('read of 0x00000000, which is not mapped');
  });

  test('arguments are split as a shell splits them; a quote that is open is told', async () => {
    await open();
    await run(join(guests, 'arguments'), `one 'two three' "fo\\"ur"`);
    expect(await screen()).toBe('arguments\none\ntwo three\nfo"ur');
    await page.getByRole('textbox', { name: 'Arguments' }).fill(`'one`);
    await press('Run');
    expect(await page.getByRole('alert').textContent()).toBe("the quote ' is not closed");
  });

  test('output has a limit', async () => {
    await open();
    await page.getByLabel('Output, MiB').fill('1');
    await run(join(root, 'examples/life'), '1000000 0', 'stopped: it wrote more than 1048576 bytes');
  });

  test('files are dropped, found by the program, and can be taken back', async () => {
    await open();
    const forth = readFileSync(join(root, 'examples/forth')).toString('base64');
    const data = await page.evaluateHandle(`{
      const transfer = new DataTransfer();
      transfer.items.add(new File(['20 22 + . bye\\n'], 'add.fs'));
      transfer.items.add(new File([Uint8Array.fromBase64('${forth}')], 'my-forth'));
      transfer;
    }`);
    await page.dispatchEvent('.runner', 'drop', { dataTransfer: data });
    await page.locator('.drop strong', { hasText: 'my-forth' }).waitFor();
    await page.getByRole('textbox', { name: 'Arguments' }).fill('add.fs');
    await press('Run');
    await status('exit status 0');
    expect(await screen()).toContain('42');
    await press('Remove add.fs');
    await press('Run');
    await shows('add.fs');
    expect(await screen()).not.toContain('42');
  });

  test('a report stays while another program runs', async () => {
    await open();
    await run(join(root, 'examples/mandelbrot'), '40 12 3000');
    await press(/^Inspect \d/);
    await page.locator('.program', { hasText: 'mandelbrot 40 12 3000' }).waitFor();
    const region = page.locator('.region-head h2');
    const name = await region.textContent();
    await page.getByRole('tab', { name: 'Run' }).click();
    await run(join(guests, 'hello'));
    expect(await screen()).toBe('hello, world');
    await page.getByRole('tab', { name: 'Regions' }).click();
    await page.locator('.pane.guest .cm-line').first().waitFor();
    expect(await region.textContent()).toBe(name);
  });
});
