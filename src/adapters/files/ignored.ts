import { RE2JS } from 're2js';

import { globSource } from './globs.ts';

const MAX_LINES = 2000;
const MAX_LINE = 512;

/** A test of a path below the folder that has the .gitignore: true or false where a line speaks of it, else undefined. */
export type IgnoreTest = (path: string, isFolder: boolean) => boolean | undefined;

interface Group {
  ignores: boolean;
  /** Alternatives for everything, and those that are meant for folders alone. */
  any: RE2JS | undefined;
  folders: RE2JS | undefined;
}

/**
 * The meaning of a .gitignore. Consecutive lines of one polarity become one regular expression for RE2JS: a repository's
 * own lines must not be able to make a search expensive. Lines that are too long, or escape more than their first
 * character, are left out; what they name is then shown, if the policy allows it.
 */
export function ignoreTest(text: string): IgnoreTest {
  const groups: Group[] = [];
  let lines: { source: string; foldersOnly: boolean }[] = [];
  let ignores = true;
  const close = () => {
    const all = lines.filter((line) => !line.foldersOnly).map((line) => line.source);
    const folders = lines.filter((line) => line.foldersOnly).map((line) => line.source);
    if (lines.length > 0) groups.unshift({ ignores, any: oneOf(all), folders: oneOf(folders) });
    lines = [];
  };
  for (const written of text.split(/\r?\n/).slice(0, MAX_LINES)) {
    const line = /(?:^|[^\\]) +$/.test(written) ? written.trimEnd() : written;
    if (line === '' || line.startsWith('#') || line.length > MAX_LINE) continue;
    const negated = line.startsWith('!');
    const pattern = line.slice(negated ? 1 : 0).replace(/^\\(?=[#!])/, '');
    if (pattern.includes('\\')) continue;
    if (negated === ignores) {
      close();
      ignores = !negated;
    }
    const parsed = patternSource(pattern);
    if (parsed) lines.push(parsed);
  }
  close();
  return (path, isFolder) =>
    groups.find((group) => group.any?.test(path) || (isFolder && group.folders?.test(path)))?.ignores;
}

function patternSource(pattern: string): { source: string; foldersOnly: boolean } | undefined {
  const foldersOnly = pattern.endsWith('/');
  const bare = pattern.replace(/\/$/, '').normalize('NFC');
  // A pattern with a slash before its end is meant from its own folder; one without, at every depth.
  const anchored = bare.replace(/^\//, '');
  if (anchored === '') return undefined;
  const source = globSource(bare.includes('/') ? anchored : `**/${anchored}`, false);
  try {
    RE2JS.compile(source);
  } catch {
    return undefined;
  }
  return { source, foldersOnly };
}

function oneOf(sources: readonly string[]): RE2JS | undefined {
  return sources.length === 0 ? undefined : RE2JS.compile(`^(?:${sources.join('|')})$`);
}
