import type { Effect } from './effect.ts';
import { SELECTORS } from './target.ts';

/**
 * What a flag's value or a positional argument is. Everything that is a path becomes a file or folder target.
 *
 * - `none`: a switch; `value`: one line of text; `text`: may have several lines; `number`: decimal digits
 * - `file`: a file of the workspace, never a folder; `tree`: a folder that is read with all that is in it
 * - `pathspec`: a path for git that only selects (no content comes out); `file-pathspec`: the same, matching that one file
 *   and nothing below it, for forms of git that show content
 * - `revision`: passed on as the commit it names, so that it cannot name a blob; `revision-file`: `REVISION:FILE`
 * - `url`: an address that is fetched; https, or http on this machine; becomes a host target, and its host tells the environment
 * - `all-namespaces`: a switch that widens a Kubernetes command to every namespace
 * - a selector: tells the environment (`kubeContext`, `namespace` …)
 */
export const ARGUMENT_KINDS = [
  'none',
  'value',
  'text',
  'number',
  'file',
  'tree',
  'pathspec',
  'file-pathspec',
  'revision',
  'revision-file',
  'url',
  'all-namespaces',
  ...SELECTORS,
] as const;

type ArgumentKind = (typeof ARGUMENT_KINDS)[number];

export interface Argument {
  kind: ArgumentKind;
  /** A regular expression that the whole value must match. */
  match?: string;
  /** The only values there are. */
  oneOf?: readonly string[];
  /** For paths: what the program does to it; `read` where absent. */
  effect?: Effect;
}

export interface Flag extends Argument {
  /** Every spelling, exactly; the first is the one passed on. */
  names: readonly string[];
  /** Whether it may be given more than once. */
  repeats?: boolean;
  /** Passed on after this many of the command's words, where it must not come after all of them. */
  afterWords?: number;
}

/**
 * One form of one sub-command; only what is listed is accepted. Several may have the same words: a call takes the first form
 * that fits it, so that `-o yaml` can be there for pods and not for secrets.
 */
export interface CommandGrammar {
  /** The words after the program: `[rollout, status]`; empty for programs without sub-commands. */
  words: readonly string[];
  /** The words passed on, where they are others: `systemctl status` runs `systemctl show`, which prints no command lines. */
  runs?: readonly string[];
  effect: Effect;
  /** How it is written, shown in refusals: `git diff [REVISION] -- FILE...`. */
  usage: string;
  flags: readonly Flag[];
  /** What the positional arguments after the words are, in turn; the last repeats. Empty: none are taken. */
  positionals: readonly Argument[];
  minPositionals: number;
  maxPositionals: number;
  /** What the arguments after `--` are; without it `--` is refused. */
  afterDashes?: Argument;
  minAfterDashes: number;
  /** Flags (first spelling) without which the call is refused. */
  requires: readonly string[];
  /** Flags of which one is needed; the first is put in where none is given. */
  needsOneOf: readonly string[];
  /** Arguments always put in after the words. */
  adds: readonly string[];
  /** Where it acts, if elsewhere than its program does. */
  acts?: Acts;
  /** Kubernetes only: whether what it names lives in a namespace; `namespace` where absent. */
  scope?: 'namespace' | 'cluster' | 'either';
}

/**
 * `local`: this machine. `kubernetes`, `docker`: as configured, or as the arguments say. `github`: the code host. `remote`:
 * elsewhere, as the arguments alone say; where they say nothing, the place is unknown and counts as production.
 */
export const ACTS = ['local', 'kubernetes', 'docker', 'github', 'remote'] as const;

export type Acts = (typeof ACTS)[number];

/** One known program of launch-process, from `policies/programs/*.yaml`. */
export interface ProgramGrammar {
  program: string;
  acts: Acts;
  /** Where it runs: a folder of the workspace, or an empty private one, for programs that would read what lies around them. */
  folder: 'workspace' | 'empty';
  /**
   * For programs that run what lies around them: all of the workspace that is there for them, each file decided by the policy.
   * `folder`: the one it runs in, with everything in it; else the files of these names in it. Without a sandbox they do not run.
   */
  sees?: 'folder' | readonly string[];
  commands: readonly CommandGrammar[];
  /** Flags that every command takes; also accepted before the words. */
  flags: readonly Flag[];
  /** Environment variables it may be given from Holdpoint's own environment, by name. */
  environment: readonly string[];
  /** Paths of this machine that it may read in its sandbox, such as `/var/log/journal`. */
  readable?: readonly string[];
  /** Environment variables set to fixed values; `{workspace}` and `{private}` stand for those folders. */
  set: Readonly<Record<string, string>>;
  /** Arguments put before the agent's: switches that neutralise what the workspace could bring. */
  prefix: readonly string[];
  /** For refusals: words or a flag → what to do instead; `''` for the program as a whole. */
  instead: Readonly<Record<string, string>>;
  /** git only: configuration that wins over the repository's own. */
  gitConfig?: GitConfig;
}

export interface GitConfig {
  set: Readonly<Record<string, string>>;
  /** For keys with a name in the middle: every key the repository sets that matches is overridden. */
  override: readonly { match: string; value: string }[];
}
