import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { POLICIES } from '../config/locations.ts';
import { prepared } from '../config/prepared.ts';
import { readAhead } from '../config/read-ahead.ts';

/** What a policy names and other files hold. */
type Folder = 'checklists' | 'calendars';

interface BesideFile {
  file: string;
  text: string;
  /** What the text says, where the build has read and checked exactly these bytes. */
  read?: unknown;
}

/** Finds the file of a name for a policy, or says which names there are. */
export type Beside = (policyFile: string, folder: Folder, name: string) => BesideFile | { known: string[] };

/** From the folder of that name next to the policy's file, else of those that come with Holdpoint. */
export const beside: Beside = (policyFile, folder, name) => {
  const folders = [...new Set([join(dirname(policyFile), folder), join(POLICIES, folder)])];
  for (const each of folders) {
    const file = join(each, `${name}.yaml`);
    const text = readText(file);
    if (text !== undefined) return { file, text, read: readAhead(prepared[folder], text) };
  }
  return { known: folders.flatMap((each) => namesIn(each)).sort() };
};

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).flatMap((name) => (name.endsWith('.yaml') ? [name.slice(0, -'.yaml'.length)] : []));
  } catch {
    return [];
  }
}
