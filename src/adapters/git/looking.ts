import { HoldpointError } from '../../core/errors.ts';
import { exactPathspec, literalPathspec } from '../../core/process-paths.ts';
import type { GitOutput } from './command.ts';
import type { GitPort } from './port.ts';
import type { Within } from './repository.ts';
import { readStatus } from './status.ts';
import { plainLine } from './text.ts';

/** Much of a patch is read, so that it can be masked before it is cut. */
const MAX_PATCH = 512 * 1024;
const LINE = 160;
const DIFF = ['--no-ext-diff', '--no-textconv', '--no-renames', '--submodule=short', '--ignore-submodules=all'];

type Looks = Pick<GitPort, 'status' | 'commit' | 'local' | 'changedPaths' | 'patch' | 'keeps' | 'log' | 'refs'>;

/** What reads the repository and nothing else. */
export function createLooking(within: Within): Looks {
  return {
    status: (call) =>
      within(call, async ({ output, run }) => {
        const flags = [
          '--porcelain=v2',
          '--branch',
          '-z',
          '--no-renames',
          '--untracked-files=all',
          '--ignore-submodules=all',
        ];
        const status = readStatus(await output({ args: ['status', ...flags] }, 'to look at the working tree'));
        const { branch, commit, upstream } = status;
        if (upstream || branch === undefined || commit === undefined) return status;
        // A branch that was made here follows none by its configuration.
        const other = `refs/remotes/origin/${branch}`;
        const { code, stdout } = await run({
          args: ['rev-list', '--left-right', '--count', `${commit}...${other}`, '--'],
        });
        const [ahead, behind] = stdout.trim().split('\t').map(Number);
        if (code !== 0 || ahead === undefined || behind === undefined) return status;
        return { ...status, upstream: { name: `origin/${branch}`, ahead, behind } };
      }),
    commit: (ref, call) =>
      within(call, async ({ resolve }) => {
        const found = await resolve(ref);
        if (found !== null) return found;
        throw unknown(ref);
      }),
    local: (ref, call) => within(call, ({ resolve }) => resolve(ref)),
    changedPaths: (range, paths, call) =>
      within(call, async ({ run }) => {
        const args = ['diff', '--name-only', '-z', ...DIFF, range, '--', ...paths.map(literalPathspec)];
        return textOf(await run({ args }), range)
          .split('\0')
          .filter(Boolean);
      }),
    patch: (range, paths, call) =>
      within(call, async ({ run }) => {
        if (paths.length === 0) return { text: '', cut: false };
        const args = ['diff', '--patch', ...DIFF, range, '--', ...paths.map(exactPathspec)];
        const found = await run({ args, maxBytes: MAX_PATCH });
        return { text: textOf(found, range), cut: found.cut };
      }),
    keeps: (paths, call) =>
      within(call, async ({ output, resolve }) => {
        if ((await resolve('HEAD^{commit}')) === null) return new Map();
        const doing = 'to look at the last commit';
        const tree = ['ls-tree', '-r', '-z', '--name-only', 'HEAD', '--', ...paths];
        const held = (await output({ args: tree }, doing)).split('\0').filter(Boolean);
        const compare = ['diff', '--name-only', '-z', ...DIFF, 'HEAD', '--', ...paths.map(exactPathspec)];
        const changed = new Set((await output({ args: compare }, doing)).split('\0'));
        return new Map(held.map((path) => [path, changed.has(path) ? 'other' : 'same']));
      }),
    log: ({ range, limit, paths }, call) =>
      within(call, async ({ run }) => {
        const how = ['--date=short', '--format=%h %ad %an: %s', '--no-show-signature', '--no-decorate', '--no-patch'];
        const args = ['log', `--max-count=${limit}`, ...how, range, '--', ...paths.map(literalPathspec)];
        return linesOf(textOf(await run({ args }), range), call.redact);
      }),
    refs: (what, limit, call) =>
      within(call, async ({ output }) => {
        const format = `%(if)%(HEAD)%(then)%(HEAD) %(end)%(refname:lstrip=2) %(objectname:short) %(creatordate:short) %(subject)`;
        const folder = what === 'tag' ? 'refs/tags' : 'refs/heads';
        const args = ['for-each-ref', '--sort=-creatordate', `--count=${limit}`, `--format=${format}`, folder];
        return linesOf(await output({ args }, `to list the ${what}s`), call.redact);
      }),
  };
}

function textOf({ code, stdout, stderr, cut }: GitOutput, range: string): string {
  if (code === 0 || cut) return stdout;
  if (/bad revision|unknown revision|ambiguous argument/.test(stderr)) throw unknown(range);
  throw new HoldpointError('conflict', `git did not manage to read ${shown(range)}.`, {
    hint: 'A person looks with git fsck whether the repository is whole.',
  });
}

function unknown(ref: string): HoldpointError {
  const why = /^(?:HEAD|@)\^\{commit\}$/.test(ref)
    ? 'Nothing has been committed yet.'
    : `There is no ${shown(ref)} here.`;
  return new HoldpointError('not_found', why, {
    hint: 'Name a branch, tag or commit, such as main, v1.2.0 or HEAD~1; branch without a name lists branches.',
  });
}

function shown(range: string): string {
  return range.replaceAll('^{commit}', '');
}

/** Lines of the history, each masked before it is cut. */
function linesOf(text: string, redact: (text: string) => string): string[] {
  return redact(text)
    .split('\n')
    .filter(Boolean)
    .map((line) => plainLine(line, LINE));
}
