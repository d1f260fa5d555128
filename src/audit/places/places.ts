import type { CheckpointPlace } from '../checkpoints.ts';
import { parseCheckpoints } from '../checkpoints.ts';
import type { Head } from '../chain.ts';
import { filePlace, readFilePlace } from './file.ts';
import { DEFAULT_REF, gitPlace, readGitPlace } from './git.ts';
import { webhookPlace } from './webhook.ts';

/** One of `audit.checkpoints` in the settings: one of the three. */
export interface PlaceSetting {
  file?: string | undefined;
  git?: string | undefined;
  /** Of `git`. */
  ref?: string | undefined;
  webhook?: string | undefined;
}

/** @param PATH where git is looked for */
export function placeOf({ file, git, ref = DEFAULT_REF, webhook }: PlaceSetting, PATH: string): CheckpointPlace {
  if (file !== undefined) return filePlace(file);
  return git === undefined ? webhookPlace(webhook ?? '') : gitPlace({ path: git, ref, PATH });
}

/** What a place of the settings has by now; of a webhook nothing can be read. @throws HoldpointError as readCheckpoints. */
export async function readPlace({ file, git, ref = DEFAULT_REF }: PlaceSetting, PATH: string): Promise<Head[]> {
  if (file === undefined && git === undefined) return [];
  return readCheckpoints(file ?? `git:${git}@${ref}`, PATH);
}

/**
 * The records that the checkpoints at a place know.
 *
 * @param written a file, or `git:REPOSITORY`, or `git:REPOSITORY@REF`
 * @throws HoldpointError `not_found`, `invalid_input`.
 */
export async function readCheckpoints(written: string, PATH: string): Promise<Head[]> {
  const git = /^git:(?<path>.+?)(?:@(?<ref>refs\/[^@]+))?$/.exec(written)?.groups;
  const text = git
    ? await readGitPlace({ path: git['path'] ?? '', ref: git['ref'] ?? DEFAULT_REF, PATH })
    : await readFilePlace(written);
  return parseCheckpoints(text, written);
}
