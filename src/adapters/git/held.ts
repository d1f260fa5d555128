import { quoted } from '../../core/foreign.ts';
import type { Plan, PreviewPart } from '../../core/plan.ts';
import { softly, type Found } from '../../core/softly.ts';
import type { Act } from './acts.ts';
import { runDiff, type Diff } from './diffing.ts';
import type { Context, RefUpdate } from './port.ts';

/** What people see of a held change of the repository or its remote. `plan`: as it was made. */
export async function gitParts(act: Act, { preview }: Pick<Plan, 'preview'>, call: Context): Promise<PreviewPart[]> {
  const said = preview.text ?? '';
  switch (act.action) {
    case 'push':
      return pushParts(act, said, call);
    case 'commit':
      return [
        { kind: 'diff', title: 'The commit', text: said },
        { kind: 'undo', text: 'As long as it is not pushed, a person takes it back with git reset --soft HEAD~1.' },
      ];
    case 'tag':
      return [
        {
          kind: 'facts',
          title: 'The tag',
          rows: [
            ['commit', act.commit],
            ['message', act.message === null ? 'none' : quoted(act.message, 1000)],
          ],
        },
        { kind: 'undo', text: `As long as it is not pushed, a person removes it with git tag --delete ${act.name}.` },
      ];
    case 'switch':
      return [
        { kind: 'diff', title: 'What the switch changes', text: said || 'no file that an agent may not write\n' },
        { kind: 'undo', text: 'Switching back brings the files back; what is not committed stays as it is.' },
      ];
  }
}

async function pushParts(
  { update, count }: Extract<Act, { action: 'push' }>,
  said: string,
  call: Context,
): Promise<PreviewPart[]> {
  const { remote, ref, commit, was } = update;
  const diff =
    was === null
      ? []
      : diffParts(await softly(call, (limited) => runDiff({ range: `${was}..${commit}`, paths: [] }, limited)));
  return [
    {
      kind: 'facts',
      title: 'The push',
      rows: [
        ['to', `${ref} of ${quoted(remote.url)}`],
        ['from', was ?? 'nothing: it is new there'],
        ['at', `${commit}, ${count} commits more`],
      ],
    },
    { kind: 'diff', title: 'Its commits, and what it starts', text: said },
    ...diff,
    { kind: 'undo', text: undoText(update) },
  ];
}

function diffParts(diff: Found<Diff>): PreviewPart[] {
  const title = 'The difference that it makes';
  if ('unknown' in diff) return [{ kind: 'facts', title, rows: [['diff', `unknown: ${diff.unknown}`]] }];
  const { text, hidden, more } = diff.value;
  const rows: [string, string][] = [
    ...(hidden
      ? [['not shown', `by policy: ${hidden.map((path) => quoted(path)).join(', ')}`] satisfies [string, string]]
      : []),
    ...(more === undefined ? [] : [['more', more] satisfies [string, string]]),
  ];
  return [
    { kind: 'diff', title, text },
    ...(rows.length > 0 ? [{ kind: 'facts' as const, title: 'Of that difference', rows }] : []),
  ];
}

function undoText({ remote, ref, commit, was }: RefUpdate): string {
  const after = 'What workflows did that it started is not undone by it.';
  const lease = `--force-with-lease=${ref}:${commit}`;
  return was === null
    ? `A person deletes it there: git push ${lease} ${remote.name} :${ref}. Who has fetched it keeps it. ${after}`
    : `Commits that revert it, pushed the same way. A person could set it back with git push ${lease} ${remote.name} ${was}:${ref}, which rewrites what others have fetched. ${after}`;
}
