/**
 * What a browser would act on, show in another order or not show at all: control characters, direction marks, letters and
 * signs without a shape. The same as on the terminal; a test compares the two.
 */
const ACTIVE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u034F\u115F\u1160\u2800\u3164\uFFA0]/u;

/** A text cut into what is shown as it is and what is shown as its code point, such as `\u{202e}`. Lines and tabs stay. */
export function pieces(text: string): { text: string; acts: boolean }[] {
  const found: { text: string; acts: boolean }[] = [];
  for (const char of text) {
    const acts = char !== '\n' && char !== '\t' && ACTIVE.test(char);
    const piece = acts ? `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}` : char;
    const last = found.at(-1);
    if (last?.acts === acts) last.text += piece;
    else found.push({ text: piece, acts });
  }
  return found;
}
