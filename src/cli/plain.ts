/**
 * What a terminal would act on or show in another order: control characters, escape sequences, direction marks; and letters and
 * signs that show as nothing.
 */
const ACTIVE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u034F\u115F\u1160\u2800\u3164\uFFA0]/gu;

/** Text that an agent or another system wrote, made safe for a terminal: what would act is shown as its code point. */
export function plain(text: string): string {
  return text.replace(ACTIVE, (char) =>
    char === '\n' || char === '\t' ? char : `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** The same on one line. */
export function plainLine(text: string): string {
  const lines = plain(text).split('\n');
  return lines.length === 1
    ? (lines[0] ?? '')
    : lines
        .map((line) => line.trim())
        .filter(Boolean)
        .join(' ⏎ ');
}
