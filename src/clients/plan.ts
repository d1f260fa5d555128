import type { Json } from '../core/json.ts';
import type { Client, HttpEntry, Places, Scope } from './client.ts';
import { ENTRY, isOurs, mergedEntry, sameEntry } from './entry.ts';
import { setAt } from './json-edit.ts';
import { readJson, valueAt, type JsonText } from './json-text.ts';
import type { LockFile } from './lock-down.ts';
import { readSettings, type SettingsFile } from './settings-file.ts';
import { fulfil, holds } from './wants.ts';

/** A file as it is and as it shall be. */
export interface Planned {
  settings: SettingsFile;
  /** The whole text; the one found where nothing is to be changed. */
  text: string;
}

export interface PlannedEntry extends Planned {
  /** Holdpoint's entry before and after. */
  before: Json | undefined;
  after: Json;
  /** False for an entry of this name that `init` did not make. */
  ours: boolean;
  /** Other servers in the file, whose tools Holdpoint knows nothing of. */
  others: string[];
}

/**
 * Works out what a client's file becomes, changing nothing.
 *
 * @param within as for `readSettings`.
 * @throws HoldpointError `conflict` for a file that cannot be changed without guessing.
 */
export function planEntry(
  client: Client,
  wanted: Pick<HttpEntry, 'entry' | 'also'>,
  file: string,
  within?: string,
): PlannedEntry {
  const settings = readSettings(file, within);
  const path = [client.servers, ENTRY];
  const also = wanted.also ?? [];
  const found = readJson(settings.text, file, [path, ...also.map(({ at }) => at)]);
  const before = valueAt(found, path);
  const after = mergedEntry(before, wanted.entry);
  const servers = valueAt(found, [client.servers]);
  const others = Object.keys(typeof servers === 'object' && servers !== null ? servers : {}).filter(
    (name) => name !== ENTRY,
  );
  const entered = sameEntry(before, after) ? found : setAt(found, path, after);
  return {
    settings,
    text: finished(settings, found, also.reduce(fulfil, entered)),
    before,
    after,
    ours: isOurs(before),
    others,
  };
}

/** Works out what a settings file becomes for the lock-down. A whole file that is there already stays as it is. */
export function planLock(lock: LockFile, within?: string): Planned {
  const settings = readSettings(lock.file, within);
  if ('text' in lock) return { settings, text: settings.exists ? settings.text : lock.text };
  const found = readJson(
    settings.text,
    lock.file,
    lock.wants.map(({ at }) => at),
  );
  return { settings, text: finished(settings, found, lock.wants.reduce(fulfil, found)) };
}

/** `on`: every file says all of it. `off`: none says anything of it. `unknown`: a file cannot be read. */
export type LockState = 'on' | 'partly' | 'off' | 'unknown';

/** Whether a client's own tools are switched off in one of its scopes. */
export function lockState(client: Client, scope: Scope, places: Places): LockState {
  if (client.lockDown.kind === 'none') return 'on';
  try {
    const said = client.lockDown.files(scope, places).flatMap((lock) => {
      const { text, exists } = readSettings(lock.file);
      if ('text' in lock) return [exists];
      const found = readJson(text, lock.file);
      return lock.wants.filter((want) => !('default' in want)).map((want) => holds(found, want));
    });
    return said.every(Boolean) ? 'on' : said.some(Boolean) ? 'partly' : 'off';
  } catch {
    return 'unknown';
  }
}

/** The new text, ending and beginning as the old one did. */
function finished({ text, exists }: SettingsFile, found: JsonText, planned: JsonText): string {
  if (exists && planned.text === found.text) return text;
  const ending = text.trim() === '' && !planned.text.endsWith('\n') ? '\n' : '';
  return `${text.startsWith('\uFEFF') ? '\uFEFF' : ''}${planned.text}${ending}`;
}
