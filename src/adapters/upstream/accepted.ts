import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

import { EFFECTS } from '../../core/effect.ts';
import { HoldpointError } from '../../core/errors.ts';
import { privateDirectory, replacePrivateFile } from '../../store/directory.ts';
import { definition, hashOf } from './definition.ts';

const acceptedFile = z.strictObject({
  version: z.literal(1),
  server: z.string(),
  /** Of what was started or reached then. */
  fingerprint: z.string(),
  /** ISO 8601, UTC, and the operating system's user. */
  acceptedAt: z.string(),
  acceptedBy: z.string(),
  /** What tools do in place of what the server hints, by its own names of them. */
  effects: z.record(z.string(), z.enum(EFFECTS)).default({}),
  tools: z.array(z.strictObject({ hash: z.string(), definition })),
});

/** What a person has accepted of a server: the definitions of its tools, word for word. */
export type Accepted = z.output<typeof acceptedFile>;

/** The files below the keys directory, which neither the agent nor a server can write; one for each server. */
export interface AcceptedFiles {
  /** Undefined where nothing was ever accepted. @throws HoldpointError `unavailable` for a damaged file. */
  read(server: string): Accepted | undefined;
  write(accepted: Accepted): void;
  /** Whether there was one. */
  remove(server: string): boolean;
  list(): string[];
  file(server: string): string;
}

export function acceptedFiles(keys: string): AcceptedFiles {
  const folder = join(keys, 'upstreams');
  const file = (server: string) => join(folder, `${server}.json`);
  return {
    file,
    read(server) {
      if (!existsSync(file(server))) return undefined;
      try {
        const accepted = acceptedFile.parse(JSON.parse(readFileSync(file(server), 'utf8')));
        if (accepted.server !== server) throw new Error('it is of another server');
        for (const tool of accepted.tools)
          if (hashOf(tool.definition) !== tool.hash)
            throw new Error(`the hash of ${tool.definition.name} does not fit`);
        return accepted;
      } catch (cause) {
        throw new HoldpointError('unavailable', `The file ${file(server)} of what was accepted is damaged.`, {
          hint: `Accept the server anew: holdpoint upstream accept ${server}`,
          cause,
        });
      }
    },
    write(accepted) {
      privateDirectory(keys);
      privateDirectory(folder);
      replacePrivateFile(file(accepted.server), `${JSON.stringify(accepted, null, 1)}\n`);
    },
    remove(server) {
      const there = existsSync(file(server));
      rmSync(file(server), { force: true });
      return there;
    },
    list: () =>
      existsSync(folder)
        ? readdirSync(folder)
            .filter((name) => name.endsWith('.json'))
            .map((name) => name.slice(0, -'.json'.length))
            .sort()
        : [],
  };
}
