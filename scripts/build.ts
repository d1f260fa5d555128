/** Builds what is published: `dist/`, one bundle with everything in it. */
import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { rolldown, type OutputAsset, type OutputChunk, type Plugin } from 'rolldown';
import { parse } from 'yaml';

import { PERSONAS, POLICIES } from '../src/config/locations.ts';
import type { Prepared } from '../src/config/prepared.ts';
import { loadPrograms } from '../src/config/programs.ts';
import type { Asset } from '../src/console/assets.ts';
import { keyOf } from '../src/config/read-ahead.ts';
import { readCalendar } from '../src/policy/calendar-file.ts';
import { readChecklist } from '../src/policy/checklist-file.ts';
import { preparePolicy } from '../src/policy/load.ts';
import { cardOf, loadRegistry } from '../src/server/registry.ts';

const ROOT = resolve(import.meta.dirname, '..');
const TOOLS = join(ROOT, 'src/tools');
const PAGE = join(ROOT, 'src/console/page');
const DIST = join(ROOT, 'dist');

/** A bundle has no folders to read, so the tools' list is written at build time. A tool's module runs when it is first used. */
const toolModules: Plugin = {
  name: 'tool-modules',
  async load(id) {
    if (id !== join(ROOT, 'src/server/tool-modules.ts')) return;
    const files = (await readdir(TOOLS, { recursive: true })).filter((name) => name.endsWith('.ts')).sort();
    const entries = files.map((file) => {
      const module = `require(${JSON.stringify(join(TOOLS, file))})`;
      return `[${JSON.stringify(basename(file, '.ts'))}, { get default() { return ${module}.default; } }]`;
    });
    return `export const toolModules = async () => new Map([${entries.join(', ')}]);`;
  },
};

/** What starting does not need, or not with the shipped files: loaded when one of its exports is first used. */
const LATER = [
  'pino',
  'yaml',
  're2js',
  'tar-stream',
  'node:child_process',
  'node:tls',
  'src/policy/calendar-file.ts',
  'src/policy/checklist-file.ts',
  'src/policy/examples.ts',
  'src/policy/shape.ts',
];
const LATER_PREFIX = '\0later:';

const laterModules: Plugin = {
  name: 'later-modules',
  resolveId(source, importer = '', { kind }) {
    const name = source.startsWith('.') ? relative(ROOT, resolve(dirname(importer), source)) : source;
    return kind === 'import-statement' && LATER.includes(name) ? LATER_PREFIX + name : undefined;
  },
  async load(id) {
    if (!id.startsWith(LATER_PREFIX)) return;
    const name = id.slice(LATER_PREFIX.length);
    const source = name.startsWith('src/') ? join(ROOT, name) : name;
    const whole = `${source.startsWith('node:') ? 'process.getBuiltinModule' : 'require'}(${JSON.stringify(source)})`;
    const names = Object.keys((await import(source)) as object).filter((each) => /^(?!default$)\w+$/.test(each));
    // CommonJS: its importers read a property at each use, where an ECMAScript module would be read once at the start.
    return `module.exports = { ${names.map((each) => `get ${each}() { return ${whole}.${each}; }`).join(', ')} };`;
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
    const checklists = await bySha256(
      join(POLICIES, 'checklists'),
      (text, file) => checked(readChecklist(text, file, basename(file, '.yaml'))).items,
    );
    const calendars = await bySha256(
      join(POLICIES, 'calendars'),
      (text, file) => checked(readCalendar(text, file)).entry,
    );
    const tools = Object.fromEntries([...registry].map(([name, tool]) => [name, cardOf(tool)]));
    const value = { policies, personas, checklists, calendars, programs, tools } satisfies Prepared;
    const records = Object.entries(value).map(([name, record]) => `${name}: record(${texts(record)})`);
    return `${record.toString()}\nexport const prepared = { ${records.join(', ')} };`;
  },
};

/** The JSON of each value: JSON.parse reads a text faster than a literal is compiled. */
function texts(values: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)])),
  );
}

/** Goes into the bundle as it stands: an object whose values are read from such texts when they are first asked for. */
function record(written: Readonly<Record<string, string>>): object {
  const values = {};
  for (const [name, text] of Object.entries(written)) {
    let value: unknown;
    Object.defineProperty(values, name, { enumerable: true, get: () => (value ??= JSON.parse(text)) });
  }
  return values;
}

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

function checked<T extends object>(read: T | { problems: string[] }): T {
  if ('problems' in read) throw new Error(read.problems.join('\n'));
  return read;
}

async function bySha256<T>(folder: string, read: (text: string, file: string) => T): Promise<Record<string, T>> {
  const files = (await readdir(folder, { recursive: true })).filter((name) => /(?:^[^/]+|persona)\.yaml$/.test(name));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return Object.fromEntries(texts.map((text, index) => [keyOf(text), read(text, join(folder, files[index] ?? ''))]));
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

/** What serving on stdio loads: as one file, since each costs the start about as much as its contents. */
const START = ['cli/main', 'cli/serve', 'server/app', 'server/mcp', 'server/malformed', 'transports/stdio'];
/** What must run before. */
const BEFORE = ['config/compile-cache', 'config/parsers'];

function startModules(output: readonly (OutputChunk | OutputAsset)[]): Set<string> {
  const chunks = new Map(output.flatMap((part) => (part.type === 'chunk' ? [[part.fileName, part]] : [])));
  const closure = (entries: readonly string[]): Set<string> => {
    const ids = new Set(entries.map((entry) => join(ROOT, `src/${entry}.ts`)));
    const files = new Set(
      [...chunks.values()]
        .filter(({ moduleIds }) => moduleIds.some((id) => ids.has(id)))
        .map(({ fileName }) => fileName),
    );
    for (const file of files) for (const each of chunks.get(file)?.imports ?? []) files.add(each);
    return new Set([...files].flatMap((file) => chunks.get(file)?.moduleIds ?? []));
  };
  const before = closure(BEFORE);
  return new Set([...closure(START)].filter((id) => !before.has(id)));
}

const bundle = await rolldown({
  input: join(ROOT, 'src/main.ts'),
  platform: 'node',
  plugins: [toolModules, laterModules, preparedFiles, pageAssets],
  external: ['cpu-features', /\.node$/],
  preserveEntrySignatures: 'allow-extension',
  // What serving loads later may be loaded at once by a command; both are meant.
  checks: { ineffectiveDynamicImport: false },
  // Its main file requires others by names that a bundler cannot see.
  resolve: { alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' } },
  transform: { inject: { __dirname: [join(ROOT, 'scripts/bundle/dirname.ts'), 'dirname'] } },
});
const built = `${DIST}-${process.pid}`;
const format = { dir: built, format: 'esm', minify: true, comments: { legal: false } } as const;
const started = startModules((await bundle.generate(format)).output);
const { output } = await bundle.write({
  ...format,
  codeSplitting: { groups: [{ name: 'start', test: (id) => started.has(id), includeDependenciesRecursively: false }] },
});
await bundle.close();
await writeFile(
  join(built, 'THIRD-PARTY-LICENSES.txt'),
  await licences(output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []))),
);
await cp(join(ROOT, 'node_modules/dockerode/lib/proto'), join(built, 'proto'), { recursive: true });
// Whole when it is there: a build that fails leaves the one before, and one of the same sources disturbs no server that runs.
const before = `${built}-before`;
await rename(DIST, before).catch(() => undefined);
await rename(built, DIST);
await rm(before, { recursive: true, force: true });
