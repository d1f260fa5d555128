/** What a terminal would act on or show in another order: control characters, escape sequences, direction marks. */
const ACTIVE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Text that an agent or another system wrote, made safe for a terminal: what would act is shown as its code point. */
export function plain(text: string): string {
  return text.replace(ACTIVE, (char) =>
    char === '\n' || char === '\t' ? char : `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** The same on one line. */
export function plainLine(text: string): string {
  return plain(text).replace(/\s*\n\s*/g, ' ⏎ ');
}
