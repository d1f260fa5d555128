import { entities, pageText } from './html.ts';

const MAX_SHOWN = 1500;

/** As much of a body as was read. */
export interface Body {
  bytes: Buffer;
  /** There was more. */
  cut: boolean;
}

/** A media type's parts: `text/html`, `utf-8`; with a coding that was not asked for, `text/html (gzip)`. */
export interface MediaType {
  type: string;
  charset: string;
}

const HTML = /^(?:text\/html|application\/xhtml\+xml)$/;
const READABLE = /^(?:text\/[\w.+-]+|application\/(?:x-)?(?:json|ndjson|xml|yaml)|[\w-]+\/[\w.-]+\+(?:json|xml))$/;

export function mediaType(contentType: string, encoding: string): MediaType {
  const [type = ''] = contentType.split(';');
  const charset = /;\s*charset\s*=\s*"?([\w.:-]{1,40})/i.exec(contentType)?.[1] ?? 'utf-8';
  const coded = encoding === '' || /^identity$/i.test(encoding.trim()) ? '' : ` (${encoding.trim()})`;
  return { type: `${type.trim().toLowerCase()}${coded}`, charset };
}

/**
 * What a body says, as data: no control or invisible characters, secrets masked, then held against `expect` and cut. The
 * expectation is held against the masked text, so that it cannot be used to guess a secret.
 *
 * @returns `text` only where the type is one to be read; without a type, where the bytes are text.
 */
export function readBody(
  { bytes, cut }: Body,
  { type, charset }: MediaType,
  expect: string | undefined,
  redact: (text: string) => string,
): { text?: string; found?: boolean } {
  const missed = expect === undefined ? {} : { found: false };
  if (!(type === '' ? looksLikeText(bytes) : READABLE.test(type))) return missed;
  const whole = decode(bytes, charset);
  const raw = cut ? wholeWords(whole) : whole;
  const page = HTML.test(type);
  const source = redact(plain(page ? entities(raw) : raw));
  const shown = page ? redact(plain(pageText(redact(raw)))) : source.trim();
  return {
    ...(shown === '' ? {} : { text: shorten(shown) }),
    ...(expect === undefined ? {} : { found: source.includes(expect) || shown.includes(expect) }),
  };
}

/** One line of a header, as data. */
export function headerText(value: string, max: number, redact: (text: string) => string): string {
  return redact(plain(value)).replaceAll(/\s+/g, ' ').trim().slice(0, max);
}

function decode(bytes: Buffer, charset: string): string {
  // Streaming, so that a character cut in half at the limit is left out.
  const options = { stream: true };
  try {
    return new TextDecoder(charset).decode(bytes, options);
  } catch {
    return new TextDecoder().decode(bytes, options);
  }
}

function looksLikeText(bytes: Buffer): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return !/(?![\t\n\r])\p{Cc}/u.test(text);
  } catch {
    return false;
  }
}

/** Without the last word, which may be half a secret. */
function wholeWords(text: string): string {
  const end = Math.max(text.lastIndexOf(' '), text.lastIndexOf('\n'));
  return end === -1 ? text : text.slice(0, end);
}

function plain(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(/(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '');
}

function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : text;
}
