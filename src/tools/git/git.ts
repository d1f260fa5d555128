import { z } from 'zod';

import {
  gitParts,
  planBranch,
  planCommit,
  planPush,
  planTag,
  repositoryTarget,
  runCommit,
  runDiff,
  wantedOf,
} from '../../adapters/git/port.ts';
import type { Act, Looking } from '../../adapters/git/port.ts';
import type { Plan } from '../../core/plan.ts';
import { defineTool } from '../../core/tool.ts';

const SHOWN = 40;

export default defineTool({
  name: 'git',
  title: 'Use git: branches, commits, tags, pushes',
  description: 'Feature branches run at once, others are held.',
  keywords: ['repository', 'history', 'changes', 'version', 'release', 'checkout', 'switch', 'remote', 'origin'],
  effect: 'destroy',
  needs: ['git', 'files'],
  input: z.strictObject({
    action: z.enum(['status', 'diff', 'log', 'branch', 'commit', 'tag', 'push']),
    name: z.string().optional(),
    message: z.string().optional(),
    paths: z.array(z.string()).optional(),
    ref: z.string().optional(),
    remote: z.string().optional(),
    force: z.boolean().optional(),
    limit: z.int().optional(),
  }),
  output: z.strictObject({
    branch: z.string().optional(),
    commit: z.string().optional(),
    tag: z.string().optional(),
    upstream: z.strictObject({ name: z.string(), ahead: z.int(), behind: z.int() }).optional(),
    changed: z.array(z.strictObject({ path: z.string(), state: z.string() })).optional(),
    /** A patch, commits, branches or tags. */
    text: z.string().optional(),
    /** Changed files whose content may not be shown. */
    hidden: z.array(z.string()).optional(),
    pushed: z.strictObject({ ref: z.string(), to: z.string(), commits: z.int() }).optional(),
    /** What was left out, and how to get it. */
    more: z.string().optional(),
  }),

  targets(written) {
    const wanted = wantedOf(written);
    if (wanted.action === 'push' && wanted.force)
      return [repositoryTarget(wanted.remote, 'force-push', 'destroy', wanted.name)];
    if (wanted.action === 'push' && wanted.name !== undefined)
      return [repositoryTarget(wanted.remote, 'push', 'write', wanted.name)];
    if (wanted.action === 'branch' || wanted.action === 'tag')
      return [repositoryTarget('workspace', wanted.action, 'write', wanted.name)];
    // The branch that is checked out, which a commit or a push is of, the plan finds out and adds.
    return [repositoryTarget('workspace', wanted.action, 'read')];
  },

  async plan(written, call): Promise<Plan<Act | Looking>> {
    const wanted = wantedOf(written);
    if (wanted.action === 'commit') return planCommit(wanted, call);
    if (wanted.action === 'branch') return planBranch(wanted, call);
    if (wanted.action === 'tag') return planTag(wanted, call);
    if (wanted.action === 'push') return planPush(wanted, call);
    const does = `look at the repository: ${wanted.action}`;
    return {
      effect: 'read',
      targets: [repositoryTarget('workspace', wanted.action, 'read')],
      preconditions: [],
      steps: [{ id: 'look', does, call: ['git', wanted.action] }],
      preview: { summary: does },
      data: wanted,
    };
  },

  async preview(plan, call) {
    const { data } = plan;
    return isAct(data) ? gitParts(data, plan, call) : [];
  },

  async run({ data }, call) {
    const { git } = call;
    switch (data.action) {
      case 'commit': {
        const commit = await runCommit(data, call);
        call.stepDone('commit', { commit });
        return { branch: data.plan.branch, commit };
      }
      case 'switch':
        await git.switchTo(data.branch, data.from, call);
        call.stepDone('branch', { branch: data.branch });
        return { branch: data.branch };
      case 'tag':
        await git.tag(data, call);
        call.stepDone('tag', { tag: data.name });
        return { tag: data.name, commit: data.commit };
      case 'push': {
        const { remote, ref, commit } = data.update;
        await git.push(data.update, call);
        call.stepDone('push', { commit });
        return { commit, pushed: { ref, to: remote.url, commits: data.count } };
      }
      case 'diff':
        return runDiff(data, call);
      case 'log':
        return listed(await git.log({ ...data, limit: data.limit + 1 }, call), data.limit);
      case 'list':
        return listed(await git.refs(data.what, data.limit + 1, call), data.limit);
      case 'status': {
        const { changed, ...rest } = await git.status(call);
        const left = changed.length - SHOWN;
        return {
          ...rest,
          changed: changed.slice(0, SHOWN),
          ...(left > 0 ? { more: `${left} more changed files` } : {}),
        };
      }
    }
  },

  render({ branch, commit, upstream, changed, text, hidden, more, tag, pushed }) {
    const head = [
      branch === undefined ? '' : `on ${branch}`,
      tag === undefined ? '' : `tag ${tag}`,
      commit?.slice(0, 10) ?? '',
      upstream ? `${upstream.ahead} ahead of ${upstream.name}, ${upstream.behind} behind` : '',
      pushed ? `pushed ${pushed.commits} to ${pushed.ref} of ${pushed.to}` : '',
    ].filter(Boolean);
    return [
      ...(head.length > 0 ? [head.join('; ')] : []),
      ...(changed?.length === 0
        ? ['nothing changed']
        : (changed ?? []).map(({ path, state }) => `${state} ${oneLine(path)}`)),
      ...(text === undefined ? [] : [text || 'nothing']),
      ...(hidden ? [`not shown, by policy: ${hidden.map(oneLine).join(', ')}`] : []),
      ...(more ? [more] : []),
    ].join('\n');
  },
});

function isAct(data: Act | Looking): data is Act {
  return data.action === 'commit' || data.action === 'switch' || data.action === 'tag' || data.action === 'push';
}

function listed(lines: readonly string[], limit: number) {
  return {
    text: lines.slice(0, limit).join('\n'),
    ...(lines.length > limit ? { more: 'There are more: give a larger limit.' } : {}),
  };
}

/** A name with a line break or the like as its JSON, so that it stays one name. */
function oneLine(path: string): string {
  return /[\p{C}\p{Zl}\p{Zp}]/u.test(path) ? JSON.stringify(path) : path;
}
