import { MASK } from './mask.ts';

/** Base64 of eighteen bytes or more in one word, or of twelve and more where lines or blanks part it. */
const BASE64 =
  /(?<![\w+/%-])(?:[A-Za-z\d+/_-]{16,65536}(?:\r?\n[ \t]{0,40}|[ ])(?=[A-Za-z\d+/_-]{4})){0,500}[A-Za-z\d+/_-]{4,65536}={0,2}/g;
const LEAST = 24;
const HEX = /(?<![\w])(?:[a-f\d]{2}){16,32768}(?![\w])/gi;
/** A word with a percent-encoded sign in it. */
const URL_WORD = /(?<![^\s"<>])[^\s"<>%]{0,16384}%[a-f\d]{2}(?:[^\s"<>%]{0,512}%[a-f\d]{2}){0,200}[^\s"<>%]{0,2048}/gi;
const DEEP = 2;

/** Masks what is secret once it is decoded. A word that decodes to a text without secrets stays as it is. */
export function maskEncoded(text: string, redact: (text: string, depth: number) => string, depth: number): string {
  if (depth >= DEEP) return text;
  const holds = (inner: string) => inner !== '' && redact(inner, depth + 1) !== inner;
  return maskBase64(text, holds)
    .replace(HEX, (word) => (holds(readable(Buffer.from(word, 'hex'))) ? MASK : word))
    .replace(URL_WORD, (word) => {
      const inner = decodedUrl(word);
      return holds(inner) ? redact(inner, depth + 1) : word;
    });
}

/** Masks lines broken by a written `\n` as if they were lines, as in a string quoted by another program. */
export function maskQuotedLines(text: string, redact: (text: string, depth: number) => string, depth: number): string {
  if (depth >= DEEP || !text.includes('\\n')) return text;
  return text.replace(/[^\n]*\\n[^\n]*/g, (line) => {
    const lines = line.replaceAll('\\n', '\n');
    const shown = redact(lines, depth + 1);
    return shown === lines ? line : shown.replaceAll('\n', '\\n');
  });
}

function maskBase64(text: string, holds: (inner: string) => boolean): string {
  return text.replace(BASE64, (run) => {
    if (run.length < LEAST) return run;
    const parts = run.split(/(\s+)/);
    // Digests, ids and times have letters of one kind; text in base64 has both.
    if (!parts.some((part) => part.length >= 12 && /[A-Z]/.test(part) && /[a-z]/.test(part))) return run;
    // The signs of a diff stand before each line; they are letters of base64 as well.
    for (const words of [parts, parts.map((part) => part.replace(/^[+-]/, ''))])
      for (const [from, to] of readableParts(words)) {
        const joined = words.slice(from, to).join('').replace(/\s+/g, '');
        if (!holds(readable(Buffer.from(joined, 'base64'), true))) continue;
        for (let at = from; at < to; at += 1) if (parts[at]?.trim() !== '') parts[at] = MASK;
      }
    return parts.join('');
  });
}

/** The longest rows of words that together decode to a text, as first word and the one after the last. */
function readableParts(words: readonly string[]): [from: number, to: number][] {
  const rows: [number, number][] = [];
  let from = 0;
  let rest = '';
  for (const [at, word] of words.entries()) {
    if (word.trim() === '') continue;
    const row = rest + word;
    const whole = row.length - (row.length % 4);
    if (readable(Buffer.from(row.slice(0, whole), 'base64'), true) === '') {
      if (at > from) rows.push([from, at]);
      // What does not go on with the one before may begin a text of its own.
      const own = word.slice(0, word.length - (word.length % 4));
      const begins = readable(Buffer.from(own, 'base64'), true) !== '';
      from = begins ? at : at + 1;
      rest = begins ? word.slice(own.length) : '';
    } else rest = row.slice(whole);
  }
  return from < words.length ? [...rows, [from, words.length]] : rows;
}

/** Bytes as text where they are one, else nothing; `part` where a letter of several bytes may be cut at the ends. */
function readable(bytes: Buffer, part = false): string {
  for (const byte of bytes) if (byte < 9 || (byte > 13 && byte < 32) || byte === 127) return '';
  const text = bytes.toString('utf8');
  return !part && text.includes('\uFFFD') ? '' : text;
}

function decodedUrl(word: string): string {
  try {
    return decodeURIComponent(word).replace(/\s/g, ' ');
  } catch {
    return '';
  }
}
