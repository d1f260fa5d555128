import { stripVTControlCharacters } from 'node:util';

import { fitting } from '../../core/fitting.ts';

/** Of the text in a result, in bytes of JSON. */
const ROOM = 5000;
const MAX_LINE = 500;
const HEADER = 8;

/**
 * The lines of a log in the order of their ends. Without a terminal the Engine sends both streams in frames (a byte that
 * tells the stream, three of zero, four of the length), and a line may come in several; with one it sends plain text.
 */
export function logLines(bytes: Buffer, terminal: boolean): string[] {
  const rest = new Map<number, Buffer>();
  const lines: string[] = [];
  const take = (stream: number, piece: Buffer) => {
    let left = Buffer.concat([rest.get(stream) ?? Buffer.alloc(0), piece]);
    for (let end = left.indexOf(10); end >= 0; end = left.indexOf(10)) {
      lines.push(left.toString('utf8', 0, end));
      left = left.subarray(end + 1);
    }
    rest.set(stream, left);
  };
  if (terminal) take(1, bytes);
  else {
    for (let at = 0; at + HEADER <= bytes.length;) {
      const end = at + HEADER + bytes.readUInt32BE(at + 4);
      take(bytes.readUInt8(at), bytes.subarray(at + HEADER, end));
      at = end;
    }
  }
  return [...lines, ...[...rest.values()].map(String).filter((line) => line !== '')];
}

/** The last lines there is room for, masked before any is cut. */
export function logText(lines: readonly string[], mask: (text: string) => string): { text: string; leftOut: number } {
  // Control characters go first, for one in the middle of a secret hides it from the mask; all lines are masked as one
  // text, since a key goes over several.
  const masked = mask(lines.map(plainLine).join('\n')).split('\n');
  const whole = masked.map((line) => (line.length <= MAX_LINE ? line : `${line.slice(0, MAX_LINE)}…`));
  const kept = fitting(whole.toReversed(), ROOM).toReversed();
  return { text: kept.join('\n'), leftOut: whole.length - kept.length };
}

/** Indentation stays: a stack trace is read by it. */
function plainLine(line: string): string {
  return stripVTControlCharacters(line)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trimEnd();
}
