import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const SRC = resolve(import.meta.dirname, '../../src');

interface Import {
  /** Of the importing file, from `src`. */
  file: string;
  /** A package's or module's name, or a path from `src`. */
  from: string;
  typeOnly: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const texts = new Map(files.map((file) => [file, readFileSync(join(SRC, file), 'utf8')]));
const imports = files.flatMap((file) => importsOf(file, texts.get(file) ?? ''));

function importsOf(file: string, text: string): Import[] {
  const statement = /^\s*(import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm;
  return [...text.matchAll(statement)].map(([, , type, named, dynamic]) => {
    const specifier = named ?? dynamic ?? '';
    const from = specifier.startsWith('.') ? relative(SRC, resolve(SRC, dirname(file), specifier)) : specifier;
    return { file, from, typeOnly: type !== undefined };
  });
}

/** The imports of files below `folder` that `allowed` does not cover. */
function breaches(folder: string, allowed: (entry: Import) => boolean): string[] {
  return imports
    .filter((entry) => entry.file.startsWith(folder) && !allowed(entry))
    .map(({ file, from }) => `${file} imports ${from}`);
}

const isPackage = (from: string, ...names: string[]) =>
  names.some((name) => from === name || from.startsWith(`${name}/`));

describe('import rules (DESIGN §3)', () => {
  test('the parser sees the imports', () => {
    expect(imports.length).toBeGreaterThan(100);
    expect(imports).toContainEqual({ file: 'server/mcp.ts', from: '@modelcontextprotocol/server', typeOnly: false });
    expect(importsOf('a/b.ts', "const x = await import('dockerode');\nimport type { T } from '../core/x.ts';")).toEqual(
      [
        { file: 'a/b.ts', from: 'dockerode', typeOnly: false },
        { file: 'a/b.ts', from: 'core/x.ts', typeOnly: true },
      ],
    );
  });

  test('core imports nothing but zod and core', () => {
    expect(breaches('core/', ({ from }) => from === 'zod' || from.startsWith('core/'))).toEqual([]);
  });

  test('tools import core, adapters’ ports and zod', () => {
    expect(
      breaches(
        'tools/',
        ({ from }) => from === 'zod' || from.startsWith('core/') || /^adapters\/[^/]+\/port\.ts$/.test(from),
      ),
    ).toEqual([]);
  });

  test('vendor clients are imported by their adapter alone', () => {
    const vendors: Record<string, string> = {
      dockerode: 'adapters/docker/',
      '@kubernetes/client-node': 'adapters/kubernetes/',
      '@octokit/rest': 'adapters/github/',
      '@octokit/plugin-retry': 'adapters/github/',
      '@octokit/plugin-throttling': 'adapters/github/',
    };
    for (const [vendor, home] of Object.entries(vendors)) {
      const users = imports.filter(({ from }) => isPackage(from, vendor));
      expect(users.length).toBeGreaterThan(0);
      expect(users.filter(({ file }) => !file.startsWith(home)).map(({ file }) => file)).toEqual([]);
    }
  });

  test('vendor clients load when they are first used', () => {
    const eager = imports.filter(
      (entry) => isPackage(entry.from, 'dockerode', '@kubernetes/client-node', '@octokit', 'undici') && !entry.typeOnly,
    );
    for (const { file, from } of eager)
      expect(texts.get(file), file).not.toMatch(new RegExp(`^import (?!type)[^'"]*from '${from}'`, 'm'));
  });

  test('the tokenizer’s table loads when something is counted with it', () => {
    const users = imports.filter(({ from }) => isPackage(from, 'gpt-tokenizer'));
    expect(users.map(({ file }) => file)).toEqual(['personas/tokenizer.ts']);
    expect(texts.get('personas/tokenizer.ts')).not.toMatch(/^import [^'"]*from 'gpt-tokenizer/m);
    const counting = imports.filter(({ from }) => from === 'personas/tokenizer.ts').map(({ file }) => file);
    expect(counting).toEqual(['personas/budget-report.ts']);
    const reporting = imports.filter(({ from }) => from === 'personas/budget-report.ts').map(({ file }) => file);
    expect(reporting.filter((file) => !file.startsWith('cli/persona'))).toEqual([]);
  });

  test('the console loads when its page is first asked for', () => {
    const users = imports.filter(({ file, from }) => from.startsWith('console/') && !file.startsWith('console/'));
    expect(users.map(({ from }) => from)).toContain('console/console.ts');
    for (const { file, from } of users.filter(({ from: each }) => each === 'console/console.ts'))
      expect(texts.get(file), file).not.toMatch(new RegExp(`^import (?!type)[^'"]*from '[./]*${from}'`, 'm'));
    const heavy = imports.filter(({ from, typeOnly }) => from.startsWith('@simplewebauthn/') && !typeOnly);
    expect(heavy.length).toBeGreaterThan(0);
    for (const { file } of heavy)
      expect(texts.get(file), file).not.toMatch(/^import (?!type)[^'"]*from '@simplewebauthn/m);
  });

  test('an adapter imports no other adapter’s client', () => {
    const foreign = ({ file, from }: Import) =>
      from.startsWith('adapters/') && from.split('/')[1] !== file.split('/')[1] && !from.endsWith('/port.ts');
    expect(breaches('adapters/', (entry) => !foreign(entry))).toEqual([]);
  });

  test('the MCP SDK is imported by server and transports alone; its client by the adapter for other servers, when one is first called', () => {
    const users = imports.filter(({ from }) => isPackage(from, '@modelcontextprotocol'));
    expect(users.length).toBeGreaterThan(0);
    // There Holdpoint is a client itself, and the SDK's client is a vendor's like any other.
    const [clients, servers] = [true, false].map((client) =>
      users.filter(({ from }) => isPackage(from, '@modelcontextprotocol/client') === client),
    );
    expect((servers ?? []).filter(({ file }) => !/^(?:server|transports)\//.test(file))).toEqual([]);
    expect((clients ?? []).map(({ file }) => file)).toContain('adapters/upstream/session.ts');
    expect((clients ?? []).filter(({ file }) => !file.startsWith('adapters/upstream/'))).toEqual([]);
    for (const { file } of clients ?? [])
      expect(texts.get(file), file).not.toMatch(/^import (?!type)[^'"]*from '@modelcontextprotocol/m);
  });

  test('approvals, audit and store know nothing of MCP, servers or tools', () => {
    for (const folder of ['approvals/', 'audit/', 'store/', 'policy/', 'redact/']) {
      expect(breaches(folder, ({ from }) => !/^(?:server|transports|tools|adapters|cli)\//.test(from))).toEqual([]);
    }
  });

  test('policy/decide is pure: no module of Node, nothing that reads or waits', () => {
    const seen = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const entry of imports.filter((each) => each.file === file && !each.typeOnly)) {
        expect(entry.from, `${file} imports ${entry.from}`).not.toMatch(/^node:/);
        if (texts.has(entry.from)) visit(entry.from);
      }
    };
    visit('policy/decide.ts');
    expect(texts.get('policy/decide.ts')).not.toMatch(/\bawait\b|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b/);
  });

  test('only config reads process.env', () => {
    const readers = files.filter((file) =>
      /\bprocess\.env\b|\benv\b[^;]*from 'node:process'/.test(texts.get(file) ?? ''),
    );
    expect(readers.filter((file) => !file.startsWith('config/'))).toEqual([]);
    expect(readers.length).toBeGreaterThan(0);
  });

  test('only dispatch’s line calls a tool’s plan and run', () => {
    const callers = files.filter((file) => /\btool\.(?:plan|run)\(/.test(texts.get(file) ?? ''));
    expect(callers).toEqual([join('server', 'line.ts')]);
  });

  test('no file is longer than 250 lines', () => {
    const long = files.filter((file) => (texts.get(file) ?? '').split('\n').length > 251);
    expect(long).toEqual([]);
  });

  test('nothing but the command line writes to stdout', () => {
    const writers = files.filter(
      (file) => /\bconsole\.log\b|process\.stdout\.write/.test(texts.get(file) ?? '') && !file.startsWith('cli/'),
    );
    expect(writers).toEqual([]);
  });
});
