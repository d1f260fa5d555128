import { foldAlike } from '../../core/alike.ts';
import type { Step } from './run.ts';

const TIME = /^\uFEFF?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+Z ?/;
/** Lines after the last error that still belong to it. */
const AFTER = 3;

/**
 * The lines of a job's log that tell why it failed: those of its failed steps, without times, colours, what a step's setting
 * up prints and debugging, runs of alike lines folded, and of these the last ones up to the last error.
 *
 * @param text as GitHub gives it, every line beginning with its time; secrets already masked.
 */
export function failedLines(text: string, failed: readonly Step[], maxLength: number): string {
  const all = linesOf(text);
  const inSteps = all.filter(({ time }) => failed.some((step) => isDuring(time, step)));
  const lines = (inSteps.length > 0 ? inSteps : all).map(({ line }) => line);
  const shown = withoutNoise(lines);
  const error = shown.findLastIndex((line) => line.startsWith('error: '));
  const kept = foldAlike(error === -1 ? shown : shown.slice(0, error + 1 + AFTER));
  let room = maxLength;
  const start = kept.findLastIndex(({ line }) => (room -= line.length + 1) < 0) + 1;
  const first = kept.at(-1);
  if (start === kept.length && first !== undefined) return first.line.slice(-maxLength);
  const before = kept.slice(0, start).reduce((sum, { count }) => sum + count, 0);
  return [...(before > 0 ? [`… ${before} lines before`] : []), ...kept.slice(start).map(({ line }) => line)].join('\n');
}

interface Line {
  /** To the second; the line's before it where it has none. */
  time: string;
  line: string;
}

function linesOf(text: string): Line[] {
  let time = '';
  return text.split(/\r?\n/).flatMap((written) => {
    time = TIME.exec(written)?.[1] ?? time;
    const line = written
      .replace(TIME, '')
      // oxlint-disable-next-line no-control-regex -- colours and cursor moves of terminals
      .replace(/\x1B\[[0-?]*[ -/]*[@-~]/g, '')
      .replace(/[^\P{C}\t]/gu, '')
      .trimEnd();
    return line === '' ? [] : [{ time, line }];
  });
}

/** Steps are timed to the second, so that the first lines of the next step may be among them. */
function isDuring(time: string, { started, completed }: Step): boolean {
  const end = completed?.slice(0, 19) ?? '9';
  return started !== undefined && time >= started.slice(0, 19) && time <= end;
}

/** Without groups that only tell settings (they hold the command and its environment) and without GitHub's own marks. */
function withoutNoise(lines: readonly string[]): string[] {
  let group: string | undefined;
  return lines.flatMap((line) => {
    if (line.startsWith('##[group]')) {
      group = line.slice('##[group]'.length);
      return group.startsWith('Run ') ? [`$ ${group.slice(4)}`] : [group];
    }
    if (line.startsWith('##[endgroup]')) {
      group = undefined;
      return [];
    }
    if (group?.startsWith('Run ') || line.startsWith('##[debug]')) return [];
    const mark = /^##\[(error|warning|notice|command)\]/.exec(line);
    return [mark ? `${mark[1]}: ${line.slice(mark[0].length)}` : line];
  });
}
