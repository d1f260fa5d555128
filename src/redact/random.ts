/** Digests, ids and addresses of this world: random to look at, and nobody's secret. */
const KNOWN_FORM =
  /^(?:[a-f\d]+|[A-F\d]+|[a-f\d]{8}-[a-f\d]{4}-[a-f\d]{4}-[a-f\d]{4}-[a-f\d]{12}|(?:sha|md|blake)\d*[-:_][\w+/=]+|h1:[\w+/]+=*|\d[\d.,:_/-]*|0x[a-f\d]+)$/i;

/**
 * Whether a word looks drawn at random, as a generated password or key does: long, of small and capital letters and digits
 * that change places often, or of letters alone that make no words. No digest, UUID, path, version, identifier or encoded text.
 */
export function looksRandom(word: string): boolean {
  const core = word.replace(/^[^\w+/]+|[.=_-]+$/g, '');
  if (core.length < 16 || core.length > 512 || KNOWN_FORM.test(core)) return false;
  const lower = core.match(/[a-z]/g)?.length ?? 0;
  const upper = core.match(/[A-Z]/g)?.length ?? 0;
  const digits = core.match(/\d/g)?.length ?? 0;
  if (lower < 2 || upper < 2 || (digits < (core.length < 20 ? 2 : 1) && isWords(core))) return false;
  // Names and paths are words joined together: letters of one kind stand in rows, and separators part them.
  if ((core.match(/[/._:-]/g)?.length ?? 0) > core.length / 8) return false;
  const changes = core.match(/(?<=[a-z])[A-Z\d]|(?<=[A-Z])[a-z\d]|(?<=\d)[A-Za-z]/g)?.length ?? 0;
  return changes >= core.length / 5 && entropy(core) >= Math.min(3.5, Math.log2(core.length) - 0.8) && !isText(core);
}

/** Words of programs' names that are shorter than others. */
const SHORT_WORD = /^(?:as|at|by|id|if|in|is|js|no|of|on|or|to|up)$/i;

/** Whether it is words joined together, `likeThis`: most pieces are long enough, with vowels where words have them. */
function isWords(core: string): boolean {
  const pieces = core.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g) ?? [];
  const isOdd = (piece: string) => piece.length < 3 || !/[aeiouy]/i.test(piece) || /[^aeiouy]{5}/i.test(piece);
  const odd = pieces.filter((piece) => isOdd(piece) && !SHORT_WORD.test(piece));
  return odd.length < pieces.length / 3 || core.length >= pieces.length * 5;
}

/** Shannon's, in bits a character. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/** Whether it is a readable text in base64. */
function isText(base64: string): boolean {
  return decodedText(base64) !== undefined;
}

/** The readable text that base64 (either alphabet) stands for; undefined where it stands for none. */
function decodedText(base64: string): string | undefined {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length < 8) return undefined;
  for (const byte of bytes) if (byte < 9 || (byte > 13 && byte < 32) || byte === 127) return undefined;
  const text = bytes.toString('utf8');
  return text.includes('\uFFFD') ? undefined : text;
}
