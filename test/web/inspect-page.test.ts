/** `stele inspect --html` and `--serve` as a user meets them: the file, the server, and in a browser what both show. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Contents, contentsId, decompress, partId, type RegionDetails } from '../../src/inspect/page-data.ts';
import type { Report } from '../../src/inspect/report.ts';
import { binaryPath } from '../guests/programs.ts';
import { run, steleEntry } from '../programs/run-guest.ts';
import { complaintsOf, hasBrowser, pageTemplate, startBrowser } from './browser.ts';

const folder = mkdtempSync(join(tmpdir(), 'stele-inspect-page-'));
const count = binaryPath('count');
const inspect = (...args: string[]) => run([process.execPath, steleEntry(), 'inspect', '--quiet', ...args]);

/** The page is there for `stele inspect` to use. */
beforeAll(async () => {
  await pageTemplate();
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** What a page has embedded. */
async function embedded(page: string, id: string): Promise<unknown> {
  const text = new RegExp(`<script type="text/plain" id="${id}">([^<]*)</script>`).exec(page)?.[1];
  return await decompress(text ?? '');
}

test('the file has what --json prints, of all regions and stages', async () => {
  const file = join(folder, 'count.html');
  const { status, stdout, stderr } = await inspect(
    '--engine',
    'wasm',
    '--json',
    '--hot',
    '9',
    '--show',
    'guest,wasm',
    '--html',
    file,
    count,
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const report: Report = JSON.parse(stdout.toString());
  const page = readFileSync(file, 'utf8');
  const { summary, parts } = (await embedded(page, contentsId)) as Contents;
  const { regions, ...rest } = summary;
  const { regions: expected, ...expectedRest } = report;
  expect(rest).toEqual(expectedRest);
  expect(parts).toEqual([expected.map(({ number }) => number)]);
  const details = (await embedded(page, partId(0))) as RegionDetails[];
  expected.forEach(({ blocks, lines = [], ...region }, index) => {
    expect(regions[index]).toMatchObject(region);
    expect(details[index].blocks).toEqual(blocks);
    const { stages } = details[index];
    // Machine code is there where this machine's V8 tells it.
    expect(stages.map(({ stage }) => stage).filter((stage) => stage !== 'host')).toEqual([
      'guest',
      'ir',
      'optimized',
      'wasm',
    ]);
    for (const stage of ['guest', 'wasm'] as const) {
      const own = lines.filter((line) => line.stage === stage);
      const shown = stages.find((one) => one.stage === stage);
      expect(shown?.text.split('\n')).toEqual(own.map(({ text }) => text));
      expect(shown?.pcs).toEqual(own.map(({ pc = -1 }) => pc));
      expect(shown?.blocks).toEqual(own.map(({ block = -1 }) => block));
    }
  });
});

test('"-" is standard output, and a file that cannot be written is told before anything runs', async () => {
  const { stdout } = await inspect('--html', '-', '--static', count);
  expect(stdout.toString()).toMatch(/^<!doctype html>/);
  expect(stdout.toString()).toContain(`id="${partId(0)}"`);
  const missing = join(folder, 'no/such/folder.html');
  const { status, stderr } = await run([
    process.execPath,
    steleEntry(),
    'inspect',
    '--html',
    missing,
    binaryPath('hello'),
  ]);
  expect(status).toBe(1);
  expect(stderr).toContain(`--html: ${missing}: No such file or directory`);
  expect(stderr).not.toContain('hello');
  expect(existsSync(missing)).toBe(false);
});

test.each(['0', '65536', '123456'])('a port of %s is a usage error', async (port) => {
  const { status, stderr } = await inspect('--serve', port, count);
  expect(status).toBe(1);
  expect(stderr).toContain(`--serve: "${port}" is not a port from 1 to 65535`);
});

test('a port that somebody has is an error when it was asked for', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const { status, stderr } = await inspect('--serve', String(port), count);
  other.close();
  expect(status).toBe(1);
  expect(stderr).toContain(`--serve: ${port}: somebody else listens there`);
});

let server: ChildProcess | undefined;
afterEach(() => {
  server?.kill('SIGKILL');
  server = undefined;
});

/** Starts a server. @returns its address */
async function serve(...args: string[]): Promise<URL> {
  server = spawn(process.execPath, [steleEntry(), 'inspect', '--quiet', '--engine', 'wasm', ...args]);
  let told = '';
  for await (const chunk of server.stderr as AsyncIterable<Buffer>) {
    told += chunk;
    const address = /stele: (http:\/\/127\.0\.0\.1:\d+\/) shows what was found; Ctrl-C ends\n/.exec(told)?.[1];
    if (address !== undefined) return new URL(address);
  }
  throw new Error(`nothing is served: ${told}`);
}

/** Asks, under whatever name. */
async function ask(
  address: URL,
  host: string,
  method = 'GET',
  path = '/',
): Promise<{ status: number; headers: object; body: string }> {
  const { port } = address;
  const asked = request({ host: '127.0.0.1', port, path, method, headers: { host }, agent: false }).end();
  const [response] = await once(asked, 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, headers: response.headers, body };
}

test('this machine alone is served, until Ctrl-C', async () => {
  // The program's name behind --serve is no port.
  const address = await serve('--serve', count);
  const { port } = address;
  const page = await ask(address, `127.0.0.1:${port}`);
  expect(page.status).toBe(200);
  expect(page.body).toContain(`id="${contentsId}"`);
  expect(page.headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
  });
  expect((await ask(address, `localhost:${port}`, 'HEAD')).body).toBe('');
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1:${Number(port) + 1}`]) {
    const { status, body } = await ask(address, host);
    expect([host, status]).toEqual([host, 403]);
    expect(body).not.toContain(contentsId);
  }
  expect((await ask(address, `localhost:${port}`, 'POST')).status).toBe(405);
  expect((await ask(address, `localhost:${port}`, 'GET', '/other')).status).toBe(404);
  // Nobody else listens there: another one goes to another port.
  const first = server;
  const second = await serve('--serve', count);
  expect(second.port).not.toBe(port);
  for (const one of [first, server]) {
    one?.kill('SIGINT');
    expect(await once(one as ChildProcess, 'exit')).toEqual([0, null]);
  }
});

describe.runIf(hasBrowser)('in a browser', () => {
  test('both show what was found, without a complaint', { timeout: 120_000 }, async () => {
    const file = join(folder, 'lines.html');
    const { status } = await inspect('--engine', 'wasm', '--html', file, count);
    expect(status).toBe(0);
    const browser = await startBrowser();
    try {
      for (const address of [pathToFileURL(file).href, (await serve('--serve', count)).href]) {
        const page = await browser.newPage();
        const complaints = complaintsOf(page);
        await page.goto(address);
        await page.locator('.row', { hasText: 'loop' }).first().click();
        await page.locator('.pane.guest .cm-line', { hasText: /^xori/ }).first().click();
        // The worker that lays graphs out runs, too.
        await page.locator('.node.pointed').first().waitFor();
        // The pane goes where it is.
        await page.locator('.pane.code .selected').first().waitFor();
        const lit = await page.locator('.pane.code .selected').allTextContents();
        expect(lit.map((text) => text.trim())).toContain('i32.xor');
        expect(await page.locator('.program').textContent()).toMatch(/count.*powerpc · wasm · exit status 212/);
        expect(complaints).toEqual([]);
      }
    } finally {
      await browser.close();
    }
  });
});
