import { opendirSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { HoldpointError } from '../../core/errors.ts';
import { workspacePath } from '../../core/paths.ts';
import type { FileHandle, RefusedEntry } from './port.ts';
import { ignoreTest, type IgnoreTest } from './ignored.ts';
import type { Opening } from './opening.ts';
import { readBytes } from './reading.ts';
import { withPlace, type Place } from './resolve.ts';

/** Entries looked at in one walk, and in one folder, at most. */
const MAX_ENTRIES = 100_000;
const MAX_IGNORE_FILE = 65_536;
/** After so many entries the walk lets other calls have a turn. */
const TURN = 200;

export interface WalkOptions {
  recursive: boolean;
  respectIgnore: boolean;
  signal?: AbortSignal;
}

export type Found = { facts: FileHandle } | { refused: RefusedEntry } | { cut: true };

interface Rules {
  /** The folder of the .gitignore, from the workspace, with a slash at its end; empty for the workspace. */
  below: string;
  test: IgnoreTest;
}

/**
 * The entries below a folder, folder by folder in the order of their names; files of a folder and its sub-folders mixed.
 * Linked folders are reported and not gone into, so that nothing is met twice and no loop is endless.
 */
export async function* walk(opening: Opening, start: FileHandle, options: WalkOptions): AsyncGenerator<Found> {
  let seen = 0;
  const waiting: { folder: FileHandle; rules: Rules[] }[] = [{ folder: start, rules: [] }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { folder, rules: above } = next;
    const opened = await readFolder(opening, folder, above, options.respectIgnore, folder === start).catch(
      (error: unknown) => {
        if (folder === start || !(error instanceof HoldpointError)) throw error;
        return { why: error.message };
      },
    );
    if ('why' in opened) {
      yield { refused: { shown: shownName(folder.path), why: opened.why } };
      continue;
    }
    if (opened.cut) yield { cut: true };
    const folders: typeof waiting = [];
    for (const name of opened.names) {
      if (++seen > MAX_ENTRIES) {
        yield { cut: true };
        return;
      }
      if (seen % TURN === 0) {
        await nextTurn();
        options.signal?.throwIfAborted();
      }
      const below = folder.path === '.' ? name : `${folder.path}/${name}`;
      const found: Found =
        name !== name.normalize('NFC') && opened.names.includes(name.normalize('NFC'))
          ? { refused: { shown: shownName(below), why: 'Another name reads the same.' } }
          : await factsOf(opening, below);
      if ('facts' in found) {
        const isFolder = found.facts.type === 'folder';
        const realName = (opened.real === '.' ? name : `${opened.real}/${name}`).normalize('NFC');
        if (options.respectIgnore && isIgnored(realName, isFolder, opened.rules)) continue;
        const linked = found.facts.real !== realName;
        if (options.recursive && isFolder && !linked) folders.push({ folder: found.facts, rules: opened.rules });
      }
      yield found;
    }
    waiting.push(...folders.toReversed());
  }
}

interface Folder {
  real: string;
  names: string[];
  cut: boolean;
  rules: Rules[];
}

async function readFolder(
  opening: Opening,
  handle: FileHandle,
  above: Rules[],
  respectIgnore: boolean,
  first: boolean,
): Promise<Folder> {
  const folder = await opening.open(handle, namesOf);
  if (!respectIgnore) return { ...folder, rules: [] };
  const rules = first ? await rulesAbove(opening, folder.real) : above;
  const own = await rulesIn(opening, folder.real);
  return { ...folder, names: folder.names.filter((name) => name !== '.git'), rules: own ? [own, ...rules] : rules };
}

function namesOf(place: Place): Omit<Folder, 'rules'> {
  if (!place.entry)
    throw new HoldpointError('not_found', `${place.path} is not there.`, { hint: 'View the folder above it.' });
  if (!place.entry.stat.isDirectory())
    throw new HoldpointError('invalid_input', `${place.path} is a file, not a folder.`, { hint: 'Name a folder.' });
  const names: string[] = [];
  const folder = opendirSync(place.entry.at);
  try {
    for (let entry = folder.readSync(); entry && names.length <= MAX_ENTRIES; entry = folder.readSync())
      names.push(entry.name);
  } finally {
    folder.closeSync();
  }
  return { real: place.real, names: names.slice(0, MAX_ENTRIES).sort(), cut: names.length > MAX_ENTRIES };
}

/** What is under a name found on the disk, which may be no name that a path could have. */
async function factsOf(opening: Opening, found: string): Promise<Found> {
  const path = found.normalize('NFC');
  const shown = shownName(found);
  if (!isPath(path)) return { refused: { shown, why: 'Its name could be mistaken for another.' } };
  try {
    const facts = await opening.look(path);
    return facts.type === 'missing'
      ? { refused: { path, shown, why: 'It went away, or its name is not UTF-8.' } }
      : { facts };
  } catch (error) {
    if (!(error instanceof HoldpointError)) throw error;
    return {
      refused: { path, shown, why: error.cause instanceof HoldpointError ? error.cause.message : error.message },
    };
  }
}

function isPath(path: string): boolean {
  try {
    return workspacePath(path) === path;
  } catch {
    return false;
  }
}

async function rulesAbove(opening: Opening, real: string): Promise<Rules[]> {
  const rules: Rules[] = [];
  const names = real === '.' ? [] : ['.', ...real.split('/').slice(0, -1)];
  for (const [index] of names.entries()) {
    const found = await rulesIn(opening, names.slice(1, index + 1).join('/') || '.');
    if (found) rules.unshift(found);
  }
  return rules;
}

async function rulesIn({ descriptors }: Opening, folder: string): Promise<Rules | undefined> {
  const below = folder === '.' ? '' : `${folder}/`;
  try {
    return await withPlace(descriptors, `${below}.gitignore`, async (place) => {
      if (!place.entry?.stat.isFile() || place.entry.stat.size > MAX_IGNORE_FILE) return undefined;
      const bytes = await readBytes(descriptors, place.entry, { maxBytes: MAX_IGNORE_FILE });
      return { below, test: ignoreTest(bytes.toString('utf8')) };
    });
  } catch (error) {
    if (error instanceof HoldpointError) return undefined;
    throw error;
  }
}

/** The nearest .gitignore that speaks of the path decides. */
function isIgnored(path: string, isFolder: boolean, rules: readonly Rules[]): boolean {
  for (const { below, test } of rules) {
    const verdict = test(path.slice(below.length), isFolder);
    if (verdict !== undefined) return verdict;
  }
  return false;
}

/** A name from the disk, for showing: what could mislead a reader is escaped. */
function shownName(name: string): string {
  return name.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\\]/gu,
    (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`,
  );
}
