/**
 * What agents and other systems wrote, made fit to stand beside what Holdpoint says: the one place where it is done, for the
 * terminal and the console alike. Nothing here knows where the text comes from; whoever builds a preview marks that.
 */

/**
 * What a terminal or a browser would act on or show in another order: control characters, escape sequences, direction marks;
 * and letters and signs that show as nothing.
 */
const ACTIVE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** Characters of a quotation, where its caller says nothing else. */
const QUOTED = 200;

/** The text with everything that would act, or show as nothing, as its code point (`\u{202e}`); line breaks and tabs stay. */
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

/** Others' words inside a sentence of ours: plain, on one line, between marks that they cannot close, what was cut said. */
export function quoted(text: string, max = QUOTED): string {
  const line = plainLine(text).replaceAll('«', '‹').replaceAll('»', '›');
  const { head, cut } = cutCharacters(line, max);
  return cut === 0 ? `«${head}»` : `«${head}…» (${cut} characters cut)`;
}

/** The characters of a text that act or show as nothing, line breaks and tabs aside, by number: `U+202E`. At most ten. */
export function hiddenCharacters(text: string): string[] {
  const found = new Set(
    [...text.matchAll(ACTIVE)].map(([char]) => char).filter((char) => !'\n\t\r\uFEFF'.includes(char)),
  );
  return [...found].slice(0, 10).map(numberOf);
}

/** How much of a block is shown. */
export interface BlockBounds {
  /** Columns of a line, its mark included. */
  columns?: number;
  /** Lines of the text, before they are wrapped. */
  lines?: number;
  /** What each line begins with. */
  mark?: string;
}

/**
 * Others' text of several lines: plain, and every line that a reader sees begins with the mark, wrapped ones too, so that none
 * looks like a line of ours. What was cut is said in a line that has no mark.
 */
export function block(text: string, { columns = 100, lines = 400, mark = '│ ' }: BlockBounds = {}): string[] {
  const all = plain(text).split('\n');
  if (all.at(-1) === '') all.pop();
  const room = Math.max(20, columns - mark.length);
  const shown = all.slice(0, lines).flatMap((line) => wrapped(line, room).map((piece) => `${mark}${piece}`));
  return all.length > lines ? [...shown, `… ${all.length - lines} more lines are not shown`] : shown;
}

/** A line in pieces of at most so many columns; at least one piece. Wide letters count as two, a tab as eight. */
export function wrapped(line: string, columns: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  let used = 0;
  for (const char of line) {
    const width = widthOf(char);
    if (used + width > columns && piece !== '') {
      pieces.push(piece);
      piece = '';
      used = 0;
    }
    piece += char;
    used += width;
  }
  return [...pieces, piece];
}

/** Scripts with letters that look like letters of another one of them. */
const ALIKE = ['Latin', 'Cyrillic', 'Greek', 'Armenian', 'Cherokee', 'Coptic', 'Lisu'].map((script) => ({
  script,
  letters: new RegExp(`\\p{Script=${script}}`, 'u'),
}));

/**
 * Why names may not be what they look like: a name in letters of two scripts that have letters alike, or with letters of another
 * width or style (`ａｐｉ`). A sentence each; names as people see them, and the odd letters by number.
 *
 * @param names Whole names: host names, image references, paths.
 */
export function lookAlikes(names: readonly string[]): string[] {
  return [...new Set(names)].flatMap((name) => {
    const odd = [...new Set(Array.from(name).filter((char) => /\p{L}/u.test(char) && char > '\u007F'))];
    const numbers = odd.slice(0, 5).map(numberOf).join(', ');
    const scripts = ALIKE.filter(({ letters }) => letters.test(name)).map(({ script }) => script);
    if (scripts.length > 1) return [`${quoted(name, 120)} mixes ${scripts.join(' and ')} letters (${numbers})`];
    if (odd.some((char) => /^[\x20-\x7E]+$/.test(char.normalize('NFKC'))))
      return [`${quoted(name, 120)} has letters that only look like a–z (${numbers})`];
    return [];
  });
}

/** For a page: plain, and with no markup of HTML in it. */
export function forHtml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return plain(text).replace(/[&<>"']/g, (char) => names[char] ?? char);
}

/** For what reads Markdown, on one line: plain, and with no markup of it (nor of HTML, which Markdown takes). */
export function forMarkdown(text: string): string {
  return plainLine(text).replace(/[\\`*_{}[\]<>()#+\-.!|~&:@/]/g, (char) => `\\${char}`);
}

function numberOf(char: string): string {
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function cutCharacters(text: string, max: number): { head: string; cut: number } {
  const characters = Array.from(text);
  return characters.length <= max
    ? { head: text, cut: 0 }
    : { head: characters.slice(0, max).join(''), cut: characters.length - max };
}

const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Extended_Pictographic}\u3000-\u303F\uFF01-\uFF60]/u;

function widthOf(char: string): number {
  if (char === '\t') return 8;
  return char > '\u00FF' && WIDE.test(char) ? 2 : 1;
}
