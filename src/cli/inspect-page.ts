/** `stele inspect --html` and `--serve`: what was found, as a page. */
import { progressLine, readText, writeError } from '../host/command.ts';
import { type PageServer, pageTemplate, startPageServer } from '../host/page-server.ts';
import { pageOf } from '../inspect/page.ts';
import { documentOf, type Findings, type Heat, regionReport } from '../inspect/report.ts';
import { stages } from '../inspect/stage-names.ts';
import { usualPort } from './inspect-options.ts';
import { UsageError } from './options.ts';
import { openReport } from './program-file.ts';

export interface PageWishes {
  /** The file to write; "-": standard output; empty: none. */
  readonly html: string;
  /** The port to serve it on; 0: the usual one, or another that is free; undefined: none. */
  readonly serve: number | undefined;
}

/** Where a page will go. Made before the program runs, so that nothing ran in vain that cannot be shown. */
export interface PageOutput {
  /** @returns when the page was written, and nobody is served any more */
  show(findings: Findings, heats: readonly Heat[]): Promise<void>;
}

/** Milliseconds between two words of how far the page is. */
const progressDistance = 1000;

/** @throws UsageError */
export async function preparePage({ html, serve }: PageWishes): Promise<PageOutput> {
  const template = pageTemplate();
  if (template === undefined) throw new UsageError('the page was not built: "npm run build" builds it');
  const write = openReport(html, '--html');
  const server = serve === undefined ? undefined : await start(serve);
  return {
    show: async (findings, heats) => {
      const progress = progressLine();
      let told = performance.now();
      const regions = Iterator.from(heats).map((heat) => regionReport(heat, findings, stages));
      const page = await pageOf(regions, (summaries) => documentOf(findings, summaries), {
        template,
        readSource: sourceReader(findings.program),
        progress: (done) => {
          if (performance.now() - told < progressDistance) return;
          progress.show(`stele: ${done} of ${heats.length} regions are on the page`);
          told = performance.now();
        },
      });
      progress.clear();
      write?.(page);
      if (server === undefined) return;
      writeError(`stele: ${server.show(page)} shows what was found; Ctrl-C ends\n`);
      await server.interrupted;
    },
  };
}

async function start(port: number): Promise<PageServer> {
  try {
    return await startPageServer(port === 0 ? usualPort : port, port !== 0);
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    const problem = code === 'EADDRINUSE' ? 'somebody else listens there' : message;
    throw new UsageError(`--serve: ${port}: ${problem}`);
  }
}

/** Reads source files that line tables name: as they are named, or from where the program is and upwards. */
function sourceReader(program: string): (name: string) => string | null {
  const folders = [''];
  if (!program.startsWith('/')) folders.push('./');
  for (let end = program.lastIndexOf('/'); end >= 0; end = program.lastIndexOf('/', end - 1)) {
    folders.push(program.slice(0, end + 1));
    if (end === 0) break;
  }
  return (name) => {
    for (const folder of name.startsWith('/') ? [''] : folders) {
      const text = readText(`${folder}${name}`);
      if (typeof text === 'string') return text;
    }
    return null;
  };
}
