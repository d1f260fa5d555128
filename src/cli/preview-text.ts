import { block, plainLine } from '../core/foreign.ts';
import type { PreviewPart } from '../core/plan.ts';
import { flow, labelled, painted, type Screen, type Style } from './layout.ts';

/** Columns of the labels of facts, at most. */
const LABEL = 26;
/** Lines of a diff that a terminal shows; `--json` and the console have all that the request holds. */
const LINES = 250;

/** A part of a preview, its title first. */
export function partText(part: PreviewPart, screen: Screen): string[] {
  const { columns } = screen;
  switch (part.kind) {
    case 'risks':
      return [
        heading('Mind', screen),
        ...part.items.flatMap((item) =>
          hanging('  ! ', plainLine(item), columns).map((line) => painted('yellow', line, screen)),
        ),
      ];
    case 'undo':
      return [heading('To undo it', screen), ...hanging('  ', part.text, columns)];
    case 'facts': {
      const width = Math.min(LABEL, Math.max(...part.rows.map(([label]) => label.length), 1));
      return [
        ...hanging('', plainLine(part.title), columns).map((line) => painted('bold', line, screen)),
        ...part.rows.flatMap(([label, value]) =>
          labelled(plainLine(label), value, width, columns - 2).map((line) => `  ${line}`.trimEnd()),
        ),
      ];
    }
    case 'diff':
      return [
        ...hanging('', plainLine(part.title), columns).map((line) => painted('bold', line, screen)),
        ...block(part.text, { columns, lines: LINES, mark: '  │ ' }).map((line) => diffLine(line, screen)),
      ];
  }
}

export function heading(text: string, screen: Screen): string {
  return painted('bold', text, screen);
}

/** A sentence behind a mark, its further lines under its first. */
export function hanging(mark: string, text: string, columns: number): string[] {
  const blank = ' '.repeat(mark.length);
  return flow(text, columns - mark.length).map((line, at) => (at === 0 ? mark : blank) + line);
}

const DIFF_STYLES: Readonly<Record<string, Style>> = { '+': 'green', '-': 'red', '@': 'dim' };

function diffLine(line: string, screen: Screen): string {
  const style = DIFF_STYLES[line.slice('  │ '.length)[0] ?? ''];
  return style === undefined ? line : painted(style, line, screen);
}
