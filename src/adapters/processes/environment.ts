import { realpath } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join, normalize } from 'node:path';

import { HoldpointError } from '../../core/errors.ts';
import type { ProgramGrammar } from '../../core/programs.ts';
import { isInside } from './executable.ts';

/** Folders that a program gets instead of the user's; see `privateFolders`. */
export interface Places {
  /** The workspace's real path. */
  workspace: string;
  /** A folder of this program's own, outside the workspace. */
  private: string;
  programFolders: readonly string[];
}

/**
 * A program's whole environment, built from nothing: a PATH without the workspace, private folders for HOME and temporary
 * files, the operator's variables that the grammar names, and its fixed ones, which win.
 *
 * @param operator the environment that Holdpoint's configuration hands over.
 * @throws HoldpointError `denied` where a variable names a place inside the workspace, which the agent writes.
 */
export async function environmentOf(
  grammar: ProgramGrammar,
  operator: Readonly<Record<string, string>>,
  places: Places,
): Promise<Record<string, string>> {
  const environment: Record<string, string> = {
    PATH: places.programFolders.join(delimiter),
    HOME: join(places.private, 'home'),
    TMPDIR: join(places.private, 'tmp'),
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    NO_COLOR: '1',
    PAGER: 'cat',
  };
  for (const name of grammar.environment) {
    const value = Object.hasOwn(operator, name) ? operator[name] : undefined;
    if (value === undefined || value === '') continue;
    await refuseWorkspace(name, value, grammar.program, places.workspace);
    environment[name] = value;
  }
  for (const [name, value] of Object.entries(grammar.set))
    environment[name] = value.replaceAll('{workspace}', places.workspace).replaceAll('{private}', places.private);
  return environment;
}

async function refuseWorkspace(name: string, value: string, program: string, workspace: string): Promise<void> {
  for (const part of value.replace(/^[a-z]+:\/\//, '').split(delimiter)) {
    const inside = isAbsolute(part) && isInside(workspace, await realOf(normalize(part)));
    const relative = name === 'KUBECONFIG' && part !== '' && !isAbsolute(part);
    if (inside || relative)
      throw new HoldpointError(
        'denied',
        `${name} names a place in the workspace, or none that is fixed: ${program} is not run.`,
        {
          rule: 'programs',
          hint: `The operator sets ${name} to an absolute path outside the workspace; what lies in the workspace could run programs.`,
        },
      );
  }
}

/** The real path; of what is missing, the real path of the nearest folder that is there with the rest appended. */
async function realOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await realOf(parent), path.slice(parent.length));
  }
}
