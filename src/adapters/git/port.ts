import type { PlanContext } from '../../core/tool.ts';
import type { FileFacts, FilesPort } from '../files/port.ts';

export type Call = Pick<PlanContext, 'callId' | 'signal' | 'redact'>;

/** What planning and running get: the repository, and the workspace's files through the same door as every other tool's. */
export type Context = PlanContext<'git'> & { files: FilesPort };

/** One changed path as `git status` tells it. */
export interface ChangedFile {
  path: string;
  state: 'modified' | 'added' | 'deleted' | 'untracked' | 'conflict';
}

export interface Status {
  /** Absent where HEAD is no branch. */
  branch?: string;
  /** Absent where nothing has been committed. */
  commit?: string;
  /** Where the branch follows none, the one of its name on `origin`, as it was when this repository last saw it. */
  upstream?: { name: string; ahead: number; behind: number };
  changed: ChangedFile[];
}

export type FileMode = '100644' | '100755';

/** Whether the last commit has a file as it is in the working tree, otherwise, or not at all. */
export type GitKeeps = 'same' | 'other' | 'none';

/** `files`: exactly as they are to be committed; `blob` null: removed. `parent` null: the first commit. */
export type CommitPlan = {
  branch: string;
  parent: string | null;
  author: string;
  files: { path: string; mode: FileMode; blob: string | null }[];
};

/** Where a push goes: the address is the repository's own, checked, and shown to people. `host`: its short form. */
export type Remote = { name: string; url: string; host: string };

/** `ref`: `refs/heads/…` or `refs/tags/…`. `commit`: what it becomes. `was`: what it is on the remote; null where it is not there. */
export type RefUpdate = { remote: Remote; ref: string; commit: string; was: string | null };

export type PushPlan = {
  update: RefUpdate;
  /** Whether what the remote has is kept; `unknown`: it has a commit that is not known here. */
  keeps: 'yes' | 'no' | 'unknown';
  /** Subjects of the commits that the remote does not have, newest first, and how many there are. */
  subjects: string[];
  count: number;
  /** Changed paths; absent for a new ref. */
  paths?: string[];
  /** Workflow files at the commit, by path; empty text for one that cannot be read. */
  workflows: Record<string, string>;
};

/**
 * The workspace's own repository. Its configuration runs no program: hooks, filters, external diffs, editors and signing are
 * overruled, and a push goes to an address, past what the configuration says of its remote. Throws HoldpointError: `not_found`,
 * `denied` (a repository that is not its own, an address that is none to push to), `conflict` (git says no), `unavailable`,
 * `timeout`. Ranges are those of `peelRevision`: one commit stands for its difference to the working tree.
 */
export interface GitPort {
  status(call: Call): Promise<Status>;
  /** The id of the commit that a peeled revision names. */
  commit(revision: string, call: Call): Promise<string>;
  /** What a local ref (`refs/heads/x`) stands for; null where there is none. */
  local(ref: string, call: Call): Promise<string | null>;
  /** Paths that differ, at or below `paths` where there are any. */
  changedPaths(range: string, paths: readonly string[], call: Call): Promise<string[]>;
  /** A patch of exactly these files. `cut`: there is more. */
  patch(range: string, paths: readonly string[], call: Call): Promise<{ text: string; cut: boolean }>;
  /** By path, whether a file would be lost with the working tree; for paths without an entry it is `none`. */
  keeps(paths: readonly string[], call: Call): Promise<Map<string, GitKeeps>>;
  /** One masked line for each commit, newest first. */
  log(options: { range: string; limit: number; paths: readonly string[] }, call: Call): Promise<string[]>;
  /** One masked line for each branch or tag, newest first. */
  refs(what: 'branch' | 'tag', limit: number, call: Call): Promise<string[]>;
  /** What files are as git keeps it. @throws HoldpointError `denied` for links, submodules, and paths with a filter */
  modes(files: readonly Pick<FileFacts, 'path' | 'executable'>[], call: Call): Promise<Map<string, FileMode>>;
  /** By path, the ids that files have as blobs; `store` keeps them in the repository. */
  blobs(
    files: AsyncIterable<{ path: string; bytes: Uint8Array }>,
    store: boolean,
    call: Call,
  ): Promise<Map<string, string>>;
  /** Who commits are by: `Name <address>`. */
  author(call: Call): Promise<string>;
  /** Commits exactly these files on the branch, provided that it is where the plan says; gives the commit. The blobs must be stored. */
  commitFiles(plan: CommitPlan, message: string, call: Call): Promise<string>;
  /** Makes a branch at a commit and switches to it; `from` null: switches to one that is there. Loses no change: `conflict`. */
  switchTo(branch: string, from: string | null, call: Call): Promise<void>;
  /** Makes a tag at a commit; with a message an annotated one. */
  tag(tag: { name: string; commit: string; message: string | null }, call: Call): Promise<void>;
  remote(name: string, call: Call): Promise<Remote>;
  /** What pushing a local ref would do; asks the remote. */
  planPush(remote: Remote, ref: string, call: Call): Promise<PushPlan>;
  /** Does it where nothing on the remote is lost by it. @throws HoldpointError `stale` where the remote has moved; `upstream` where it refuses */
  push(update: RefUpdate, call: Call): Promise<void>;
}

export { planCommit, runCommit } from './commit-plan.ts';
export { runDiff } from './diffing.ts';
export { gitParts } from './held.ts';
export { repositoryTarget } from './names.ts';
export { planPush } from './push-plan.ts';
export { planBranch, planTag } from './ref-plans.ts';
export type { Act } from './acts.ts';
export { wantedOf } from './wanted.ts';
export type { Looking } from './wanted.ts';

declare module '../../core/tool.ts' {
  interface Ports {
    git: GitPort;
  }
}
