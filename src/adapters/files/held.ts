import { hiddenCharacters } from '../../core/foreign.ts';
import { fileTarget } from '../../core/paths.ts';
import type { PreviewPart } from '../../core/plan.ts';
import { softly } from '../../core/softly.ts';
import type { PlanContext } from '../../core/tool.ts';
import type { GitKeeps } from '../git/port.ts';
import { unifiedDiff } from './diff.ts';

type Context = PlanContext<'files' | 'git'>;

/** Of a file that is lost, as much is shown; and so many files. */
const MAX_SHOWN = 65_536;
const MAX_FILES = 20;

const KEEPS: Readonly<Record<GitKeeps, string>> = {
  same: 'git has it as it is',
  other: 'git has another version of it, not this one',
  none: 'git does not have it',
};

/** A held write: the difference it makes, and how to take it back. `diff`: as the plan shows it. */
export async function writeParts(
  { path, content, diff, exists }: { path: string; content: string; diff: string; exists: boolean },
  context: Context,
): Promise<PreviewPart[]> {
  const hidden = hiddenCharacters(content);
  const risks = [
    ...(hidden.length > 0 ? [`the new content of ${path} has characters that do not show: ${hidden.join(', ')}`] : []),
    ...(path.startsWith('.github/workflows/') ? [`${path} is a workflow: GitHub runs it once it is pushed`] : []),
  ];
  const keeps = await kept([path], context);
  return [
    { kind: 'risks', items: risks },
    { kind: 'diff', title: `${exists ? 'Changes' : 'Creates'} ${path}`, text: diff },
    ...(exists
      ? [{ kind: 'facts' as const, title: 'What is there now', rows: [[path, keeps(path)] as [string, string]] }]
      : []),
    {
      kind: 'undo',
      text: exists
        ? `\`holdpoint files restore ${path}\` brings back what is there now: Holdpoint keeps a copy before it writes.`
        : `\`holdpoint files restore ${path}\` takes the file away again.`,
    },
  ];
}

/** Held deletions: what is lost, whether git has it, how to bring it back. */
export async function removalParts(paths: readonly string[], context: Context): Promise<PreviewPart[]> {
  const { files, permits } = context;
  const keeps = await kept(paths, context);
  const lost = await Promise.all(
    paths.slice(0, MAX_FILES).map(async (path) => {
      const found = await softly(context, async () => {
        const file = await files.look(path);
        const shown = [path, file.real].every((one) => permits(fileTarget(one, 'read')));
        const bytes = shown ? (await files.read(file, { maxBytes: MAX_SHOWN })).bytes : undefined;
        return { file, bytes };
      });
      if ('unknown' in found) return { path, size: `unknown: ${found.unknown}`, diff: '' };
      const { file, bytes } = found.value;
      return { path, size: `${file.size} bytes`, diff: await lostText(path, bytes, file.size) };
    }),
  );
  const rows = lost.map(({ path, size }): [string, string] => [path, `${size}; ${keeps(path)}`]);
  const left = paths.length - rows.length;
  const unkept = paths.filter((path) => keeps(path) !== KEEPS.same);
  return [
    {
      kind: 'risks',
      items:
        unkept.length > 0
          ? [
              `only Holdpoint's own copy is left of ${unkept.slice(0, 5).join(', ')}${unkept.length > 5 ? ' …' : ''}: git does not have it as it is`,
            ]
          : [],
    },
    { kind: 'facts', title: 'What is lost', rows: left > 0 ? [...rows, ['…', `and ${left} more files`]] : rows },
    { kind: 'diff', title: 'Its content', text: lost.map(({ diff }) => diff).join('') },
    {
      kind: 'undo',
      text: `\`holdpoint files restore PATH\` brings each back: Holdpoint keeps a copy before it removes a file. \`holdpoint files list\` shows the copies and how long they are kept.`,
    },
  ];
}

async function lostText(path: string, bytes: Uint8Array | undefined, size: number): Promise<string> {
  if (bytes === undefined) return `${path}: not shown, for reading it is not allowed at once\n`;
  if (bytes.includes(0)) return `${path}: ${size} bytes of binary data\n`;
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const more = size > bytes.length ? `… ${size - bytes.length} more bytes of ${path} are not shown\n` : '';
  return `${await unifiedDiff(path, text, '')}${more}`;
}

/** Says of each path whether git has it, where that can be found out. */
async function kept(paths: readonly string[], context: Context): Promise<(path: string) => string> {
  const found = await softly(context, (call) => context.git.keeps(paths, call));
  if ('unknown' in found) return () => `whether git has it is unknown: ${found.unknown}`;
  return (path) => KEEPS[found.value.get(path) ?? 'none'];
}
