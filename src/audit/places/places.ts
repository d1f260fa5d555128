import type { CheckpointPlace } from '../checkpoints.ts';
import { parseCheckpoints } from '../checkpoints.ts';
import type { Head } from '../chain.ts';
import { filePlace, readFilePlace } from './file.ts';
import { DEFAULT_REF, gitPlace, readGitPlace } from './git.ts';
import { webhookPlace } from './webhook.ts';

/** One of `audit.checkpoints` in the settings. */
export type PlaceSetting = { file: string } | { git: string; ref: string } | { webhook: string };

/** @param PATH where git is looked for */
export function placeOf(setting: PlaceSetting, PATH: string): CheckpointPlace {
  if ('file' in setting) return filePlace(setting.file);
  if ('webhook' in setting) return webhookPlace(setting.webhook);
  return gitPlace({ path: setting.git, ref: setting.ref, PATH });
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
