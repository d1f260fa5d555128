import { HoldpointError } from '../../core/errors.ts';
import type { ProgramGrammar } from '../../core/programs.ts';
import type { Preparation } from '../processes/port.ts';
import { runGit, type GitCommand, type GitOutput } from './command.ts';
import type { Call } from './port.ts';
import { plainLine } from './text.ts';

/** The repository while one piece of work is done in it. */
export interface Repository {
  /** What every command gets. */
  env: Readonly<Record<string, string>>;
  /** Real path of git. */
  file: string;
  /** Runs a command whose failure its exit code tells. */
  run: (command: GitCommand) => Promise<GitOutput>;
  /** The output of a command that must succeed. `doing`: what it is for, after "git did not manage". */
  output: (command: GitCommand, doing: string) => Promise<string>;
  /** The id of what a ref names; null where it names nothing. */
  resolve: (ref: string) => Promise<string | null>;
}

export type Within = <T>(call: Call, work: (repository: Repository) => Promise<T>) => Promise<T>;

/** Beyond what launch-process overrules: what lies about objects, and what steers a commit, a tag or a push. */
const SETTINGS: Readonly<Record<string, string>> = {
  'core.commitGraph': 'false',
  'http.followRedirects': 'false',
  'i18n.commitEncoding': 'UTF-8',
  'i18n.logOutputEncoding': 'UTF-8',
  'push.negotiate': 'false',
  'push.pushOption': '',
};
const VARIABLES: Readonly<Record<string, string>> = {
  // What is shown and decided on is what is pushed: no object may stand in for another, no commit have other parents.
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_GRAFT_FILE: '/dev/null',
  GIT_SSH_VARIANT: 'ssh',
};

/** How git is run here: as launch-process runs it, with the settings above. */
export function strictGrammar(grammar: ProgramGrammar): ProgramGrammar {
  const { set = {}, override = [] } = grammar.gitConfig ?? {};
  return {
    ...grammar,
    set: { ...grammar.set, ...VARIABLES },
    gitConfig: { set: { ...set, ...SETTINGS }, override },
  };
}

/** Opens the workspace's repository for each piece of work anew, so that its configuration is overruled as it is then. */
export function createWithin(preparation: Preparation, grammar: ProgramGrammar): Within {
  return async (call, work) => {
    const { executable } = await preparation.examine(grammar);
    const prepared = await preparation.prepare(grammar, executable, '.', { writes: true });
    const run = (command: GitCommand) => runGit({ file: executable.path, ...prepared }, command, call.signal);
    try {
      return await work({
        env: prepared.env,
        file: executable.path,
        run,
        async output(command, doing) {
          const { code, stdout, stderr, cut } = await run(command);
          if (code === 0) return stdout;
          const why = cut ? 'there is too much of it' : plainLine(call.redact(stderr), 300);
          throw new HoldpointError('conflict', `git did not manage ${doing}: ${why}`, {
            hint: 'status shows how things stand; what it does not explain, a person looks at.',
          });
        },
        async resolve(ref) {
          const { code, stdout } = await run({ args: ['rev-parse', '--verify', '--quiet', ref] });
          return code === 0 ? stdout.trim() : null;
        },
      });
    } finally {
      await prepared.close();
    }
  };
}
