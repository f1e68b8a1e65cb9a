// Builds src/ and styles/ into dist/: names that carry their content's hash, manifest.json from plain name to
// hashed name, and a brotli twin of everything worth compressing. The server embeds that folder.
import { build } from 'esbuild';
import { brotliCompressSync, constants } from 'node:zlib';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const dist = join(here, 'dist');

const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome120', 'firefox121', 'safari17'],
  outdir: 'dist',
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  loader: { '.woff2': 'file' },
  legalComments: 'none',
  metafile: true,
};

/** Plain name of an entry → file that was written for it. */
function named(metafile) {
  const outputs = Object.entries(metafile.outputs).filter(([, output]) => output.entryPoint);
  return outputs.map(([file, output]) => [
    basename(output.entryPoint).replace(/\.ts$/, '.js'),
    basename(file),
  ]);
}

function compress() {
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  for (const file of readdirSync(dist).filter((name) => /\.(js|css|svg)$/.test(name))) {
    writeFileSync(join(dist, `${file}.br`), brotliCompressSync(readFileSync(join(dist, file)), quality));
  }
}

// Emptied, not removed: the server's build watches the folder itself.
mkdirSync(dist, { recursive: true });
for (const file of readdirSync(dist)) rmSync(join(dist, file), { recursive: true });

// These two are started by address, so the page has to know their hashed names.
const apart = await build({ ...common, entryPoints: ['src/worker.ts', 'src/watchdog.ts'], format: 'iife' });
const files = new Map(named(apart.metafile));
const page = await build({
  ...common,
  entryPoints: ['src/chairside.ts', 'styles/chairside.css'],
  splitting: true,
  define: {
    WORKER_FILE: JSON.stringify(files.get('worker.js')),
    WATCHDOG_FILE: JSON.stringify(files.get('watchdog.js')),
  },
});
for (const [name, file] of named(page.metafile)) files.set(name, file);
writeFileSync(join(dist, 'manifest.json'), `${JSON.stringify(Object.fromEntries([...files].sort()), null, 2)}\n`);
compress();
