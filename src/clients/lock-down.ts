import type { Places, Scope } from './client.ts';
import type { Want } from './wants.ts';

/** What of a client's own settings keeps its built-in shell and edit tools from going round Holdpoint. */
export type LockDown =
  /** The client has no such settings. */
  | { kind: 'none'; says: string }
  | {
      /** `refuses`: the tools are gone or refused. `asks`: a person is asked each time. */
      kind: 'refuses' | 'asks';
      files: (scope: Scope, places: Places) => LockFile[];
      /** What it does, and what it leaves open. */
      says: string;
    };

/** A settings file with what it shall say, or a file that is made whole where there is none. */
export type LockFile = { file: string; wants: readonly Want[] } | { file: string; text: string };
