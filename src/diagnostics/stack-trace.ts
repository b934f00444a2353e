/**
 * Stack traces of Stele's own errors in which generated functions appear as the guest code that they stand for.
 *
 * V8 turns a stack into text when it is first asked for, so this is loaded and installed when an error is about
 * to be shown, and costs nothing before.
 */
import sourceMapSupport from 'source-map-support';
import { generatedScript } from '../engines/translated/stack-traces.ts';
import { guestSourceMap } from './source-map.ts';

let installed = false;

/** From now on stacks that become text name guest symbols, addresses and source lines. */
export function installGuestStackTraces(): void {
  if (installed) return;
  installed = true;
  const previous = Error.prepareStackTrace;
  sourceMapSupport.install({
    environment: 'node',
    handleUncaughtExceptions: false,
    retrieveSourceMap: (url) => {
      const script = generatedScript(url);
      if (script === undefined) return null;
      // Without an address of the map's own its sources are not taken for relative paths.
      return { url: '', map: JSON.stringify(guestSourceMap(url, script.pcs, script.places)) };
    },
  });
  Error.prepareStackTrace = (error, frames) => {
    if (!frames.some((frame) => generatedScript(frame.getScriptNameOrSourceURL() ?? '') !== undefined) && previous) {
      return previous(error, frames);
    }
    return [Error.prototype.toString.call(error), ...frames.map((frame) => `    at ${describeFrame(frame)}`)].join(
      '\n',
    );
  };
}

/** A frame in V8's form; one of generated code as "main+0x1c [0x1000041c] (file.c:12:1)". */
function describeFrame(frame: NodeJS.CallSite): string {
  const source = frame.getScriptNameOrSourceURL() ?? '';
  const line = frame.getLineNumber();
  if (line === null || generatedScript(source) === undefined) return frame.toString();
  const position: { source: string; line: number; name?: string | null } = sourceMapSupport.mapSourcePosition({
    source,
    line,
    column: (frame.getColumnNumber() ?? 1) - 1,
  });
  return position.name ? `${position.name} (${position.source}:${position.line}:1)` : frame.toString();
}

/** What is printed of an error that is no fault of the user or the guest; ends with a newline. */
export function describeInternalError(error: unknown): string {
  installGuestStackTraces();
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  return `stele: internal error: ${text}\n`;
}
