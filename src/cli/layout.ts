import { styleText } from 'node:util';

import { plain, wrapped } from '../core/foreign.ts';

/** Where a text is shown. Colour says nothing that the words do not. */
export interface Screen {
  columns: number;
  colour: boolean;
}

export const PAPER: Screen = { columns: 100, colour: false };

/** Widths that a request is laid out for; narrower terminals wrap by themselves. */
const LEAST = 80;
const MOST = 120;

/** A terminal's width within bounds, and whether it takes colour (NO_COLOR and TERM=dumb say no); paper for a pipe or a file. */
export function screenOf(stream: NodeJS.WriteStream): Screen {
  if (!stream.isTTY) return PAPER;
  return { columns: Math.min(MOST, Math.max(LEAST, stream.columns)), colour: stream.hasColors() };
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

export function painted(style: Style, text: string, { colour }: Screen): string {
  return colour ? styleText(style, text, { validateStream: false }) : text;
}

/** A sentence in lines of at most so many columns, broken between words where that is possible. Line breaks in it stay. */
export function flow(text: string, columns: number): string[] {
  return plain(text)
    .split('\n')
    .flatMap((line) => flowLine(line, columns));
}

function flowLine(line: string, columns: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(/(?<= )(?=[^ ])/)) {
    const longer = current + word;
    if (wrapped(longer.trimEnd(), columns).length === 1) {
      current = longer;
      continue;
    }
    if (current !== '') lines.push(current.trimEnd());
    const pieces = wrapped(word, columns);
    lines.push(...pieces.slice(0, -1));
    current = pieces.at(-1) ?? '';
  }
  return [...lines, current.trimEnd()];
}

/** Text behind a label, its further lines below its first. */
export function labelled(label: string, text: string, width: number, columns: number): string[] {
  const room = Math.max(20, columns - width - 2);
  const [first = '', ...rest] = flow(text, room);
  const head = flow(label, width);
  const last = head.pop() ?? '';
  return [...head, `${last.padEnd(width)}  ${first}`, ...rest.map((line) => `${''.padEnd(width)}  ${line}`)];
}

/** Three columns, each cell wrapped in its own: what, how it was, how it is. */
export function sideBySide(rows: readonly (readonly [string, string, string])[], columns: number): string[] {
  const what = Math.floor((columns - 6) * 0.3);
  const half = Math.floor((columns - 6 - what) / 2);
  const widths = [what, half, half];
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join(' │ ')
      .trimEnd();
  return rows.flatMap((row) => {
    const cells = row.map((cell, at) => flow(cell, widths[at] ?? half));
    const height = Math.max(...cells.map((lines) => lines.length));
    return Array.from({ length: height }, (_, at) => line(cells.map((lines) => lines[at] ?? '')));
  });
}
