/** The page in a headless Chromium, where one is installed. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { newest } from '../programs/run-guest.ts';

const root = join(import.meta.dirname, '../..');
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

/** Whether there is a browser that starts. */
export const hasBrowser = executablePath !== undefined && spawnSync(executablePath, ['--version']).status === 0;

export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath,
    args: [
      // Chromium refuses to run with its sandbox as root, whom CI runs as.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** The page without a report. Builds it where its sources are newer, for `stele inspect`, too. */
export async function pageTemplate(): Promise<string> {
  const path = join(root, 'dist/inspector.html');
  const sources = Math.max(...['web', 'src', 'translators', 'examples'].map((folder) => newest(join(root, folder))));
  if (!existsSync(path) || statSync(path).mtimeMs < sources)
    await build({ configFile: join(root, 'web/vite.config.ts') });
  return readFileSync(path, 'utf8');
}

/** What a page complained of since it was opened: errors in its code, requests that failed, rules that it broke. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('requestfailed', (request) => {
    // What a page asked for last when it is left nobody waits for.
    if (request.failure()?.errorText === 'net::ERR_ABORTED') return;
    complaints.push(`no answer from ${request.url().slice(0, 80)}`);
  });
  return complaints;
}
