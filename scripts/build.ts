/** Builds what is published: `dist/`, one bundle with everything in it. */
import { createHash } from 'node:crypto';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { rolldown, type Plugin } from 'rolldown';
import { parse } from 'yaml';

import { PERSONAS, POLICIES } from '../src/config/locations.ts';
import type { Prepared } from '../src/config/prepared.ts';
import { loadPrograms } from '../src/config/programs.ts';
import type { Asset } from '../src/console/assets.ts';
import { preparePolicy } from '../src/policy/load.ts';
import { loadRegistry } from '../src/server/registry.ts';

const ROOT = resolve(import.meta.dirname, '..');
const TOOLS = join(ROOT, 'src/tools');
const PAGE = join(ROOT, 'src/console/page');
const DIST = join(ROOT, 'dist');

/** A bundle has no folders to read, so the tools' list is written at build time. */
const toolModules: Plugin = {
  name: 'tool-modules',
  async load(id) {
    if (id !== join(ROOT, 'src/server/tool-modules.ts')) return;
    const files = (await readdir(TOOLS, { recursive: true })).filter((name) => name.endsWith('.ts')).sort();
    const imports = files.map((file, index) => `import * as tool${index} from ${JSON.stringify(join(TOOLS, file))};`);
    const entries = files.map((file, index) => `[${JSON.stringify(basename(file, '.ts'))}, tool${index}]`);
    return `${imports.join('\n')}\nexport const toolModules = async () => new Map([${entries.join(', ')}]);`;
  },
};

/** The shipped files as they are after reading and checking them. */
const preparedFiles: Plugin = {
  name: 'prepared-files',
  async load(id) {
    if (id !== join(ROOT, 'src/config/prepared.ts')) return;
    const [registry, programs] = await Promise.all([loadRegistry(), loadPrograms()]);
    const policies: Prepared['policies'] = await bySha256(POLICIES, (text, file) =>
      preparePolicy(text, file, { tools: (name) => registry.get(name), facts: { programs } }),
    );
    const personas = await bySha256(PERSONAS, (text): unknown => parse(text));
    const value: Prepared = { policies, personas, programs };
    // As text: JSON.parse reads it faster than a literal is compiled.
    return `export const prepared = JSON.parse(${JSON.stringify(JSON.stringify(value))});`;
  },
};

/** The console's page as three files and one minified module. */
const pageAssets: Plugin = {
  name: 'page-assets',
  async load(id) {
    if (id !== join(ROOT, 'src/console/assets.ts')) return;
    const page = await rolldown({ input: join(PAGE, 'main.ts'), platform: 'browser' });
    const { output } = await page.generate({ format: 'esm', minify: true, comments: { legal: false } });
    await page.close();
    const read = async (name: string, type: string): Promise<[string, Asset]> => [
      name,
      { type, text: await readFile(join(PAGE, name), 'utf8') },
    ];
    const assets: [string, Asset][] = [
      ['main.js', { type: 'text/javascript; charset=utf-8', text: output[0].code }],
      ...(await Promise.all([
        read('index.html', 'text/html; charset=utf-8'),
        read('style.css', 'text/css; charset=utf-8'),
        read('icon.svg', 'image/svg+xml'),
      ])),
    ];
    return `export const loadAssets = async () => new Map(${JSON.stringify(assets)});`;
  },
};

async function bySha256<T>(folder: string, read: (text: string, file: string) => T): Promise<Record<string, T>> {
  const files = (await readdir(folder, { recursive: true })).filter((name) => /(?:^[^/]+|persona)\.yaml$/.test(name));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return Object.fromEntries(
    texts.map((text, index) => [
      createHash('sha256').update(text).digest('hex'),
      read(text, join(folder, files[index] ?? '')),
    ]),
  );
}

/** The licence texts of every package that has a module in the bundle. */
async function licences(modules: readonly string[]): Promise<string> {
  const folders = new Set(modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? []));
  const texts = await Promise.all(
    [...folders].map(async (folder) => {
      const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<
        string,
        string
      >;
      const files = (await readdir(folder))
        .filter((file) => /^(?:licen[cs]e|notice|copying)(?:[.-].*)?$/i.test(file))
        .sort();
      const contents = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
      return `${name} ${version} (${license ?? 'as below'})\n\n${contents.join('\n').trim()}\n`;
    }),
  );
  return texts.sort().join(`\n${'-'.repeat(72)}\n\n`);
}

await rm(DIST, { recursive: true, force: true });
const bundle = await rolldown({
  input: join(ROOT, 'src/main.ts'),
  platform: 'node',
  plugins: [toolModules, preparedFiles, pageAssets],
  external: ['cpu-features', /\.node$/],
  // Its main file requires others by names that a bundler cannot see.
  resolve: { alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' } },
  transform: { inject: { __dirname: [join(ROOT, 'scripts/bundle/dirname.ts'), 'dirname'] } },
});
const { output } = await bundle.write({ dir: DIST, format: 'esm', minify: true, comments: { legal: false } });
await bundle.close();
await writeFile(
  join(DIST, 'THIRD-PARTY-LICENSES.txt'),
  await licences(output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []))),
);
await cp(join(ROOT, 'node_modules/dockerode/lib/proto'), join(DIST, 'proto'), { recursive: true });
