export const MASK = '[redacted]';

/** A part of a text to mask: from … to, in characters. */
export type Range = readonly [from: number, to: number];

/** The mask for a text of several lines keeps the lines, so that what stands on which line stays true. */
export function masked(text: string): string {
  return text.includes('\n') ? text.replace(/[^\n]+/g, MASK) : MASK;
}

/** The text with the ranges masked, wherever they overlap once. */
export function maskRanges(text: string, ranges: readonly Range[]): string {
  if (ranges.length === 0) return text;
  let output = '';
  let end = 0;
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0] || b[1] - a[1])) {
    if (to <= end) continue;
    const start = Math.max(from, end);
    // Where two meet, one mask stands for both.
    output +=
      text.slice(end, start) +
      (start === end && start > 0 && output.endsWith(MASK) ? '' : masked(text.slice(start, to)));
    end = to;
  }
  return output + text.slice(end);
}
