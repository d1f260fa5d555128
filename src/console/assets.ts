import { readFile, readdir } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { basename, join } from 'node:path';

/** A file of the page, by its path below `/console/`. */
export interface Asset {
  type: string;
  text: string;
}

const PAGE = join(import.meta.dirname, 'page');
/** What the page shares with the server. */
const SHARED = ['../core/foreign.ts'];
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  ts: 'text/javascript; charset=utf-8',
};

/**
 * The page's files as a browser takes them. From a clone its modules are served one by one, their types stripped; the build
 * puts another module here, in which they are one minified file.
 */
export async function loadAssets(): Promise<ReadonlyMap<string, Asset>> {
  const shared = SHARED.map((file) => join(import.meta.dirname, file));
  const files = [...(await readdir(PAGE)).map((name) => join(PAGE, name)), ...shared];
  const wanted = files.filter((file) => Object.hasOwn(TYPES, extensionOf(file)));
  const assets = wanted.map(async (file): Promise<[string, Asset]> => {
    const text = await readFile(file, 'utf8');
    const name = basename(file);
    const type = TYPES[extensionOf(name)] ?? '';
    return name.endsWith('.ts') ? [name.replace(/ts$/, 'js'), { type, text: stripped(text) }] : [name, { type, text }];
  });
  return new Map(await Promise.all(assets));
}

function stripped(text: string): string {
  return withoutWarning(() => stripTypeScriptTypes(text)).replaceAll(
    /\bfrom '(?:\.|\.\.\/\.\.\/core)\/([\w-]+)\.ts'/g,
    "from './$1.js'",
  );
}

/** Node warns on stderr that stripping is experimental; every other warning passes. */
function withoutWarning<T>(work: () => T): T {
  // oxlint-disable-next-line typescript/unbound-method -- put back below as it was, and called on process
  const emit = process.emitWarning;
  process.emitWarning = (...warning: unknown[]) => {
    if (!String(warning[0]).startsWith('stripTypeScriptTypes')) Reflect.apply(emit, process, warning);
  };
  try {
    return work();
  } finally {
    process.emitWarning = emit;
  }
}

function extensionOf(name: string): string {
  return name.split('.').at(-1) ?? '';
}
