import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { workspacePath } from '../../../src/core/paths.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import type { FileHandle } from '../../../src/adapters/files/port.ts';
import { pieces, PROPERTY, readOf, TIMEOUT, writtenOf } from './oracle.ts';
import { leadsTo, NAMES, newTree } from './tree.ts';

test.runIf(process.platform === 'linux').each([['descriptors'], ['paths']] as const)(
  'a path leads where the table of the tree and realpath(3) say, and nowhere else, by %s (C1)',
  { timeout: TIMEOUT },
  async (reach) => {
    const workspace = newTree(reach);
    const root = realpathSync(workspace.dir);
    const counts = { refused: 0, file: 0, folder: 0, missing: 0, linked: 0 };
    await fc.assert(
      fc.asyncProperty(pieces(6, NAMES), async (chosen) => {
        const written = writtenOf(chosen);
        const read = readOf(chosen);
        const wanted = read === undefined ? undefined : leadsTo(read, workspace);
        const found = await lookedAt(written);
        if (!wanted || !found) {
          counts.refused++;
          expect(found).toBe(wanted);
          return;
        }
        counts[wanted.type]++;
        if (wanted.real !== read) counts.linked++;
        expect({ real: found.real, type: found.type }).toEqual(wanted);
        expect(realOf(wanted.type === 'missing' ? undefined : read)).toBe(
          wanted.type === 'missing' ? undefined : join(root, wanted.real),
        );
        if (found.type !== 'file') return;
        const { bytes } = await workspace.files.read(found, { maxBytes: 1000 });
        expect(Buffer.from(bytes).toString()).toBe(wanted.real);
      }),
      PROPERTY,
    );
    // It proves something only where every outcome was met often.
    for (const [outcome, count] of Object.entries(counts)) expect.soft(count, outcome).toBeGreaterThan(200);

    /** Undefined where it is refused; an error of any other kind is a fault. */
    async function lookedAt(written: string): Promise<FileHandle | undefined> {
      try {
        return await workspace.files.look(workspacePath(written));
      } catch (error) {
        if (error instanceof HoldpointError && ['denied', 'not_found'].includes(error.code)) return undefined;
        throw error;
      }
    }

    /** What the system makes of the path, in NFC; the tree has names that are not. */
    function realOf(path: string | undefined): string | undefined {
      if (path === undefined) return undefined;
      for (const spelling of [path, path.replaceAll('café', 'cafe\u0301')])
        try {
          return realpathSync.native(join(root, spelling)).normalize('NFC');
        } catch {
          // The other spelling, then.
        }
      return 'nothing';
    }
  },
);
