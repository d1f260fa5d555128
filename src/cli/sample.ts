import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';

import { SAMPLE_WORKSPACE } from '../config/locations.ts';
import { privateDirectory } from '../store/directory.ts';

/** A copy of the sample workspace in the state directory, made once: what the agent does there stays there. */
export function sampleWorkspace(state: string): string {
  const folder = join(state, 'sample-workspace');
  if (existsSync(folder)) return folder;
  privateDirectory(state);
  cpSync(SAMPLE_WORKSPACE, folder, { recursive: true });
  return folder;
}
