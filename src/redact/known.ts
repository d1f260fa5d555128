import { isSecretName } from '../core/secret-names.ts';
import { masked, MASK } from './mask.ts';

/** Shorter values stand everywhere in ordinary text. */
const LEAST = 6;
/** Of the inner part of a base64 form, where the value begins in the middle of a group of three bytes. */
const LEAST_INNER = 7;

/** The values that must never leave: of settings marked secret, and of the environment. */
export function knownSecrets({
  environment,
  secrets,
}: {
  environment: Readonly<Record<string, string>>;
  secrets: readonly string[];
}): string[] {
  return [...secretsOf(environment), ...secrets];
}

/** Values of environment variables whose names say that they are secret, and the passwords in those that are addresses. */
export function secretsOf(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment).flatMap(([name, value]) => {
    const password = /^[a-z][\w+.-]*:\/\/[^\s:/@]*:([^\s/]+)@/i.exec(value)?.[1];
    if (password !== undefined) return [password, ...decoded(password)];
    const secret = isSecretName(name) || /(?:_PASS|_PWD|_KEY|_CREDENTIALS|_PAT)$/i.test(name);
    // Where a secret lies is none: a path stays readable in every answer that names it.
    return secret && !/^(?:\/[\w.@-]+){2,}$/.test(value) ? [value] : [];
  });
}

function decoded(text: string): string[] {
  try {
    return text.includes('%') ? [decodeURIComponent(text)] : [];
  } catch {
    return [];
  }
}

/** Masks the values as they are and as encoded: base64, URL, JSON, HTML, hex, and each broken over lines. */
export function maskKnown(values: Iterable<string>): (text: string) => string {
  const spelled = [...new Set([...values].map((value) => value.trim()))].filter((value) => value.length >= LEAST);
  if (spelled.length === 0) return (text) => text;
  const plain = alternatives(spelled.flatMap((value) => [value, ...spellings(value)]));
  const inner = alternatives(spelled.flatMap((value) => base64Cores(Buffer.from(value))));
  // What is left of the group of bytes that the value shares with its neighbours goes too.
  const base64 = inner && new RegExp(`[\\w+/-]?(?:${inner})[\\w+/-]?={0,2}`, 'g');
  const literal = new RegExp(plain, 'g');
  const hex = new RegExp(alternatives(spelled.map((value) => Buffer.from(value).toString('hex'))), 'gi');
  const once = (text: string) => {
    const shown = text.replace(literal, masked).replace(hex, MASK);
    return base64 ? shown.replace(base64, MASK) : shown;
  };
  return (text) => overLines(once(text), once);
}

/** The same for what is broken over lines: base64 of a mail, a wrapped log line. Every line of it is masked where it stands. */
function overLines(text: string, mask: (text: string) => string): string {
  if (!BROKEN.test(text)) return text;
  return text.replace(BROKEN_RUN, (run) => {
    const joined = run.replace(/\s+/g, '');
    return mask(joined) === joined ? run : run.replace(/\S+/g, MASK);
  });
}

/** A word that ends a line, is long enough to have been broken there, and goes on in the next one. */
const BROKEN = /[\w+/=%-]{16}\r?\n[ \t]*[\w+/=%-]/;
const BROKEN_RUN = /(?<![\w+/%-])(?:[\w+/%-]{16,512}\r?\n[ \t]{0,40}){1,500}[\w+/=%-]{1,512}/g;

/** The ways in which programs write a value inside something else. */
function spellings(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1);
  const url = encodeURIComponent(value);
  // RFC 3986 leaves these to choice; forms write a space as +.
  const strict = url.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const html = value.replace(/[&<>"']/g, (sign) => HTML[sign] ?? sign);
  return [
    json,
    JSON.stringify(json).slice(1, -1),
    json.replaceAll('/', '\\/'),
    // Go escapes three signs, Python and PHP all that is not ASCII.
    json.replace(/[<>&]/g, unicode),
    json.replace(/[<>&'\u007F-\uFFFF]/g, unicode),
    json.replace(/[\u007F-\uFFFF]/g, unicode),
    url,
    strict,
    strict.replace(/%[\dA-F]{2}/g, (code) => code.toLowerCase()),
    strict.replaceAll('%20', '+'),
    new URLSearchParams([['', value]]).toString().slice(1),
    html,
    html.replaceAll('&#39;', '&#x27;').replaceAll('&quot;', '&#34;'),
    html.replaceAll('&#39;', "'"),
    value.replaceAll("'", `'\\''`),
  ];
}

function unicode(sign: string): string {
  return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** What stays the same of the value's base64, whichever bytes stand before and after it, in both alphabets. */
function base64Cores(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    const core = text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
    return core.length < LEAST_INNER ? [] : [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** The longest first, so that no part of one is left when a shorter one begins like it. */
function alternatives(texts: readonly string[]): string {
  return [...new Set(texts)]
    .sort((a, b) => b.length - a.length)
    .map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('|');
}
