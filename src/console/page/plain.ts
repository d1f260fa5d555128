import { plain } from '../../core/foreign.ts';

/** A text cut into what is shown as it is and what is shown as its code point, such as `\u{202e}`. Lines and tabs stay. */
export function pieces(text: string): { text: string; acts: boolean }[] {
  const found: { text: string; acts: boolean }[] = [];
  for (const char of text) {
    const piece = plain(char);
    const acts = piece !== char;
    const last = found.at(-1);
    if (last?.acts === acts) last.text += piece;
    else found.push({ text: piece, acts });
  }
  return found;
}
