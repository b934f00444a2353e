/** Builds the page as one file, inspector.html: what `stele inspect --html` writes and `--serve` shows must need nothing else. */
import { defineConfig, type Plugin } from 'vite';
import { embeddedParts } from './run/embedded-parts.ts';

/** Text that may stand in an HTML script: nothing in it ends the script or begins a comment. */
const inScript = (code: string): string => code.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');

/** Puts the page's script and style into the document, in the place of the files. */
const oneFile: Plugin = {
  name: 'one-file',
  enforce: 'post',
  generateBundle(_options, bundle) {
    const page = bundle['index.html'];
    if (page?.type !== 'asset') throw new Error('there is no index.html to put scripts into');
    let html = String(page.source).replace(
      /\s*<(script|link)\b[^>]*\b(src|href)="\.\/assets\/[^>]*>(<\/script>)?/g,
      '',
    );
    for (const file of Object.values(bundle)) {
      if (file === page) continue;
      // A function, because text that replaces may not have "$" in it.
      if (file.type === 'chunk') {
        html = html.replace('</body>', () => `<script type="module">${inScript(file.code)}</script>\n  </body>`);
      } else if (file.fileName.endsWith('.css')) {
        html = html.replace('</head>', () => `<style>${file.source}</style>\n  </head>`);
      } else {
        throw new Error(`${file.fileName}: nothing tells how to put it into the page`);
      }
      delete bundle[file.fileName];
    }
    page.fileName = 'inspector.html';
    page.source = html;
  },
};

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [embeddedParts, oneFile],
  // A page that is a file has no origin, and Chromium starts no module from a blob there.
  worker: { format: 'iife' },
  build: {
    outDir: '../dist',
    // The program lies there too.
    emptyOutDir: false,
    target: 'es2024',
    modulePreload: false,
    assetsInlineLimit: Number.MAX_SAFE_INTEGER,
    // The build prints nothing when all is well, also where the machine is slow.
    rolldownOptions: { output: { codeSplitting: false }, checks: { pluginTimings: false } },
    chunkSizeWarningLimit: 4096,
    reportCompressedSize: false,
  },
});
