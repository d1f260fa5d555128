const MAX = 400;

/** A remote system's words for use inside a sentence of ours: one line, no control characters, bounded, in quotes. */
export function quoted(text: string, max = MAX): string {
  return JSON.stringify(plain(text, max));
}

/** A remote system's words as data: one line, no control or bidirectional characters, bounded. */
export function plain(text: string, max = MAX): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.length <= max ? line : `${line.slice(0, max)}…`;
}
