import { HoldpointError } from '../../core/errors.ts';
import { workspacePath } from '../../core/paths.ts';
import { peelRevision } from '../../core/process-paths.ts';
import { checkedName } from './names.ts';

const LINES = 15;
const MAX_LINES = 100;
const MAX_PATHS = 200;
const MAX_MESSAGE = 10_000;
/** What looks like something else than it is, or like nothing. */
const UNSEEN = /[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|(?![\n\t])\p{Cc}/u;

interface Written {
  action: 'status' | 'diff' | 'log' | 'branch' | 'commit' | 'tag' | 'push';
  name?: string | undefined;
  message?: string | undefined;
  paths?: string[] | undefined;
  ref?: string | undefined;
  remote?: string | undefined;
  force?: boolean | undefined;
  limit?: number | undefined;
}

/** What only looks; `range` as `peelRevision` gives it. */
export type Looking =
  | { action: 'status' }
  | { action: 'diff'; range: string; paths: string[] }
  | { action: 'log'; range: string; paths: string[]; limit: number }
  | { action: 'list'; what: 'branch' | 'tag'; limit: number };

/** A call with what its action takes and nothing else. */
export type Wanted =
  | Looking
  | { action: 'commit'; paths?: string[]; message: string }
  | { action: 'branch'; name: string; from?: string }
  | { action: 'tag'; name: string; at: string; message: string | null }
  | { action: 'push'; name?: string; remote: string; force: boolean };

const TAKES: Readonly<Record<Written['action'], readonly (keyof Written)[]>> = {
  status: [],
  diff: ['ref', 'paths'],
  log: ['ref', 'paths', 'limit'],
  branch: ['name', 'ref', 'limit'],
  commit: ['message', 'paths'],
  tag: ['name', 'ref', 'message', 'limit'],
  push: ['name', 'remote', 'force'],
};

/** @throws HoldpointError `invalid_input`, or `denied` for paths and revisions that are none here */
export function wantedOf(written: Written): Wanted {
  const { action, name, ref, remote = 'origin', force = false, limit = LINES } = written;
  const takes = TAKES[action];
  const all = ['name', 'message', 'paths', 'ref', 'remote', 'force', 'limit'] as const;
  const extra = all.filter((key) => written[key] !== undefined && !takes.includes(key));
  if (extra.length > 0)
    throw wrong(`${action} does not take ${extra.join(', ')}.`, `It takes ${takes.join(', ') || 'nothing'}.`);
  if (limit < 1 || limit > MAX_LINES) throw wrong(`limit is 1 to ${MAX_LINES}.`, 'Leave it out for the newest.');
  const paths = checkedPaths(written.paths);
  const message = checkedText(written.message);
  const range = peelRevision(ref ?? 'HEAD');
  if (action === 'status') return { action };
  if (action === 'diff') return { action, range, paths: paths ?? [] };
  if (action === 'log') return { action, range, paths: paths ?? [], limit };
  if (action === 'commit') {
    if (message === undefined) throw wrong('commit needs a message.', 'Say what was changed and why.');
    return { action, message, ...(paths ? { paths } : {}) };
  }
  if (action === 'push') {
    const what = name === undefined ? {} : { name: checkedName('branch', name) };
    return { action, ...what, remote: checkedName('remote', remote), force };
  }
  if (name === undefined) {
    if (ref !== undefined || message !== undefined)
      throw wrong(`${action} needs a name.`, `Without any argument, ${action} lists.`);
    return { action: 'list', what: action, limit };
  }
  if (written.limit !== undefined) throw wrong('limit is for listing.', 'Leave it out.');
  if (range.includes('..')) throw wrong('ref is one commit here.', 'Such as main, v1.2.0 or HEAD~1.');
  if (action === 'tag') return { action, name: checkedName('tag', name), at: range, message: message ?? null };
  return { action, name: checkedName('branch', name), ...(ref === undefined ? {} : { from: range }) };
}

function checkedPaths(paths: readonly string[] | undefined): string[] | undefined {
  if (paths?.length === 0 || (paths?.length ?? 0) > MAX_PATHS)
    throw wrong(`paths holds 1 to ${MAX_PATHS} paths.`, 'A folder stands for all that is changed in it.');
  return paths?.map(workspacePath);
}

function checkedText(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (text.trim() === '' || text.length > MAX_MESSAGE)
    throw wrong(`A message has 1 to ${MAX_MESSAGE} characters.`, 'Say what was changed and why.');
  if (UNSEEN.test(text)) throw wrong('The message has control or invisible characters.', 'Write what can be seen.');
  return text;
}

function wrong(what: string, hint: string): HoldpointError {
  return new HoldpointError('invalid_input', what, { hint });
}
