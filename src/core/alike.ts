/** A line as it is shown, and how many lines of the text it stands for. */
export interface FoldedLine {
  line: string;
  count: number;
}

/** Shorter runs cost no more than saying that they are left out. */
const WORTH_FOLDING = 4;

/**
 * Lines of a log with each run of lines that differ in nothing but digits (progress, counters, times) as its first, how many
 * are left out, and its last: what such a run says is in its ends, and an agent pays for every line.
 */
export function foldAlike(lines: readonly string[]): FoldedLine[] {
  const runs: string[][] = [];
  let shape: string | undefined;
  for (const line of lines) {
    const own = line.replace(/\d+/g, '0');
    if (own === shape) runs.at(-1)?.push(line);
    else runs.push([line]);
    shape = own;
  }
  return runs.flatMap((run) => {
    const [first, last] = [run[0] ?? '', run.at(-1) ?? ''];
    if (run.length < WORTH_FOLDING) return run.map((line) => ({ line, count: 1 }));
    const between = run.length - 2;
    return [
      { line: first, count: 1 },
      { line: `… ${between} lines like it`, count: between },
      { line: last, count: 1 },
    ];
  });
}
