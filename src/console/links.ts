import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

import { createPrivateFile, privateDirectory } from '../store/directory.ts';

const TOKEN_BYTES = 32;
const NAME = /^[0-9a-f]{64}\.json$/;

const linkSchema = z.strictObject({ approver: z.string(), expiresAt: z.int() });

/**
 * One-time links into the console, as files in the keys directory: who can write there could add an approver as well. Each
 * file is named for the SHA-256 of its token, so that reading the folder gives nobody a way in.
 */
export function openLinks(keysDir: string) {
  const folder = join(keysDir, 'console-links');
  const prepare = () => {
    privateDirectory(keysDir);
    privateDirectory(folder);
  };
  const fileOf = (token: string) => join(folder, `${createHash('sha256').update(token).digest('hex')}.json`);

  const read = (file: string) => {
    try {
      return linkSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    } catch {
      return undefined;
    }
  };

  return {
    /** Makes a link's token for an approver; those that are over are cleared away. @param expiresAt milliseconds since 1970. */
    make(approver: string, expiresAt: number, now: number): string {
      prepare();
      for (const name of readdirSync(folder).filter((each) => NAME.test(each))) {
        const link = read(join(folder, name));
        if (!link || link.expiresAt < now) rmSync(join(folder, name), { force: true });
      }
      const token = randomBytes(TOKEN_BYTES).toString('base64url');
      createPrivateFile(fileOf(token), `${JSON.stringify({ approver, expiresAt })}\n`);
      return token;
    },

    /** Spends a token: of any number of processes and attempts one gets the approver's name, and only in time. */
    spend(token: string, now: number): string | undefined {
      prepare();
      const file = fileOf(token);
      const taken = `${file}.${randomBytes(8).toString('hex')}.spent`;
      try {
        renameSync(file, taken);
      } catch {
        return undefined;
      }
      const link = read(taken);
      rmSync(taken, { force: true });
      return link && now <= link.expiresAt ? link.approver : undefined;
    },
  };
}
