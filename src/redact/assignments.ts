import { isSecretName } from '../core/secret-names.ts';
import { maskRanges, type Range } from './mask.ts';
import { looksRandom } from './random.ts';

/** Every secret's name has one of these in it; names are told apart by `isSecretName` then. */
const WORD =
  /pass|pwd|secret|token|cred|auth|dsn|cookie|jwt|bearer|_pat\b|api[-_]?key|key|connection[-_]?string|dockerc|htpasswd|sig(?:nature)?\b|session|sid\b|salt|seed|webhook/gi;

/** Names under which a value is masked when it looks drawn at random. */
const WEAK = /(?:^|[^a-z])(?:key|keys|pass|auth|sig|signature|salt|seed|session|sessionid|sid|webhook|code)$/i;

const NAME = /[\w.$-]/;
const MOST_NAME = 100;
/** Characters of a value that may be drawn at random. */
const MOST_RANDOM = 600;

const QUOTE = String.raw`(?:'\\{0,7}''|"""|\\{0,7}["'\u0060]|&quot;|&apos;|&#0?3[49];|&#x2[27];)`;
/** Between a name and its value: `: `, `=`, `=>`, `:=`, `":"`, `"] = "`, `>` of XML, `:-` of a shell's default. */
const BETWEEN = new RegExp(String.raw`(${QUOTE}?\]?[ \t]*)(=>|:=|:-|:\?|==?|:|>)([ \t]*)`, 'y');
/** Between a flag and its value: a space, or the end of one string and the beginning of the next. */
const AFTER_FLAG = new RegExp(String.raw`(?:[ \t]+|${QUOTE}[ \t]*,[ \t\n]*)`, 'y');
/** Words between a secret's name and the secret in a sentence. */
const IN_SENTENCE =
  /(?:[ \t]+(?:is|was|be|value|set|to|now|the|new|old|with|for|of|your|a|using|changed|from)(?=[ \t:=])){0,4}[ \t]*[:=]?[ \t]*["'`(<[]?([\w+/.~=-]{16,512})/y;

const OPENER = new RegExp(QUOTE, 'y');
/** A value that says where the secret is, and is none. */
const REFERENCE =
  /(?:\$\{\{[^}\n]{0,300}\}\}|\$\{[^}\n]{0,300}\}|\$\([^)\n]{0,300}\)|\$[A-Za-z_]\w*(?![^\s"'`,;)\]}&])|\{\{[^}\n]{0,300}\}\}|(?:id|type|src|source|env)=|<[a-z][^<>\n]{0,100}>|\*{3,}|\[redacted\]|%\w+%|\[?(?:not shown|masked|hidden)\b|\(not shown\)|!(?:Ref|Sub|GetAtt|vault|reference)\b|[&*]\w+$|(?:process\.env|import\.meta|os|self|this|config|settings|secrets|env|vars?|local|data|module|req|request|ctx|context|input|inputs|options|props|args|params|state|each|resource|aws_\w+|google_\w+|azurerm_\w+)(?:\.|\[|\?\.)|[A-Za-z_][\w.]{0,100}\()/y;
const SHELL_DEFAULT = /\$\{\w+:?[-=?+]([^}\n]{1,512})\}/y;
/** Types, states and other words that stand where a value would. */
const NO_VALUE =
  /^(?:true|false|yes|no|on|off|null|none|nil|undefined|~|string|str|text|number|int|integer|boolean|bool|bytes?|buffer|any|unknown|never|optional|required|object|uuid|varchar|expired|invalid|missing|failed|denied|incorrect|wrong|empty|unset|set|present|absent|ok|valid|granted|revoked|rejected|accepted|enabled|disabled|inherit|write|read|admin|bearer|basic|digest|default|and|or|the|a|an|is|was|are|not|has|in|for|from|to)$/i;
const SCHEME =
  /(?:bearer|basic|token|digest|apikey|api-key|negotiate|ntlm|aws4-hmac-sha256|bot|key|splunk|sso-key)[ \t]+/iy;
/** Names whose value may have blanks in it. */
const PHRASE = /(?:pass|pwd|secret|authorization|cookies?|credentials?)\w*$/i;

/** Masks the value of every `name: value`, `NAME=value`, `--name value` … whose name is a secret's; the name stays. */
export function maskAssignments(text: string): string {
  const ranges: Range[] = [];
  let past = 0;
  for (const { index, 0: word } of text.matchAll(WORD)) {
    if (index < past) continue;
    let from = index;
    while (from > 0 && index - from < MOST_NAME && NAME.test(text[from - 1] ?? '')) from -= 1;
    let to = index + word.length;
    while (to < text.length && to - index < MOST_NAME && NAME.test(text[to] ?? '')) to += 1;
    past = to;
    const name = text.slice(from, to).replace(/[.-]+$/, '');
    const ends = from + name.length;
    const strong = isSecretName(name);
    if (!strong && !WEAK.test(name)) continue;
    ranges.push(...valuesAt(text, { from, ends, name, strong }));
    // What is masked is not looked at again: time grows with the length alone.
    past = Math.max(past, ranges.at(-1)?.[1] ?? 0);
  }
  return maskRanges(text, ranges);
}

interface Found {
  /** Where the name begins and ends. */
  from: number;
  ends: number;
  name: string;
  strong: boolean;
}

function valuesAt(text: string, found: Found): Range[] {
  const values = valueAfter(text, found);
  if (values === undefined) return sentence(text, found.ends);
  return values.filter(([start, end]) => end > start && (found.strong || looksRandom(text.slice(start, end))));
}

/** A random-looking word a few words after the name. */
function sentence(text: string, ends: number): Range[] {
  IN_SENTENCE.lastIndex = ends;
  const match = IN_SENTENCE.exec(text);
  const word = match?.[1];
  if (!match || word === undefined || !looksRandom(word)) return [];
  const end = match.index + match[0].length;
  return [[end - word.length, end]];
}

/** Where the value after a name stands; undefined where the name is not given one here, empty where it is given none that is secret. */
function valueAfter(text: string, found: Found): Range[] | undefined {
  const { from, ends, strong } = found;
  const between = sticky(BETWEEN, text, ends);
  if (between) {
    const [whole, , sign = '', gap = ''] = between;
    const at = ends + whole.length;
    if (sign === '>') {
      const close = text[from - 1] === '<' ? endOf(text, at, /[<\n]/g) : -1;
      return close >= 0 && text.startsWith(`</${found.name}`, close) ? [[at, close]] : undefined;
    }
    if (sign === ':-' || sign === ':?')
      return text.slice(from - 2, from) === '${' ? [[at, endOf(text, at, /[}\n]/g)]] : undefined;
    return plainValue(text, at, { ...found, sign, gap });
  }
  if (!strong) return undefined;
  if (text[from - 1] === '-' || text[from] === '-' || isInstruction(text, from)) {
    const flag = sticky(AFTER_FLAG, text, ends);
    const at = ends + (flag?.[0].length ?? 0);
    if (flag && text[at] !== '-') return plainValue(text, at, { ...found, sign: ' ', gap: '' });
  }
  return undefined;
}

/** `ENV NAME value` of a Dockerfile, `login name password value` of a netrc, `WITH PASSWORD 'value'` of SQL. */
function isInstruction(text: string, from: number): boolean {
  return /(?:^|[\s"')])(?:ENV|machine\s+\S+|login\s+\S+|WITH|ENCRYPTED)\s+$/.test(before(text, from, 200));
}

const FLAT_BLOCK = /[|>][-+\d]*[ \t]+(?=\S)/y;
const BLOCK = /[|>][-+\d]*[ \t]*(?:#[^\n]*)?\n/y;

function plainValue(
  text: string,
  at: number,
  { from, name, strong, sign, gap }: Found & { sign: string; gap: string },
): Range[] {
  const block = sign === ':' ? sticky(BLOCK, text, at) : null;
  if (block) return blockLines(text, from, at + block[0].length);
  // A block that was made one line.
  at += sign === ':' ? (sticky(FLAT_BLOCK, text, at)?.[0].length ?? 0) : 0;
  const opener = sticky(OPENER, text, at)?.[0];
  if (opener !== undefined) {
    const start = at + opener.length;
    const end = closing(text, start, opener, strong ? Number.POSITIVE_INFINITY : MOST_RANDOM);
    return isReference(text, start, end, true) ? shellDefault(text, start) : [[start, end]];
  }
  const scheme = sticky(SCHEME, text, at)?.[0] ?? '';
  const start = at + scheme.length;
  if (/[\s,;)\]}]/.test(text[start] ?? '\n')) return [];
  const variable = sign === '=' && gap === '' && isLineStart(text, from);
  // `NAME=value` of an environment file has no blanks and may have any sign.
  const word = endOf(text, start, variable ? /[\s"'`]/g : /[\s"'`,;<>)\]}&|]/g, strong ? undefined : MOST_RANDOM);
  const value = text.slice(start, word).replace(/[.:?!]+$/, '');
  if (value === '' || NO_VALUE.test(value) || (/tokens$/i.test(name) && /^\d+$/.test(value))) return [];
  if (isReference(text, start, word, false)) return shellDefault(text, start);
  const phrase = scheme !== '' || (PHRASE.test(name) && sign === ':' && isLineStart(text, from));
  return [[start, phrase && text[word] !== '\n' ? endOf(text, start, /[\n"'`]|[ \t]#/g) : word]];
}

function isReference(text: string, start: number, end: number, quoted: boolean): boolean {
  const found = sticky(REFERENCE, text, start)?.[0];
  if (found === undefined) return false;
  // In quotes code is text: only what an interpreter or a template would put a value in for is a reference there.
  return quoted ? /^(?:[$<{*[%(])/.test(found) && start + found.length >= end : true;
}

function shellDefault(text: string, start: number): Range[] {
  const found = sticky(SHELL_DEFAULT, text, start);
  const value = found?.[1];
  if (!found || value === undefined || /^[$?]/.test(value) || found[0].includes(':?')) return [];
  const end = start + found[0].length - 1;
  return [[end - value.length, end]];
}

/** The end of a quoted text: its closing quote, or the line's end where it has none. */
function closing(text: string, start: number, opener: string, most: number): number {
  const line = endOf(text, start, /\n/g, most);
  for (let at = text.indexOf(opener, start); at >= 0 && at < line; at = text.indexOf(opener, at + 1)) {
    // A quote with more backslashes before it than the first has is part of the value.
    if (text[at - 1] !== '\\' || at === start) return at;
  }
  return line;
}

/** The lines of a YAML block below a key, each from its first sign on. */
function blockLines(text: string, from: number, start: number): Range[] {
  const prefix = before(text, from, 1000);
  // Inside a sentence or a quotation the column says nothing.
  const indent = /^[ \t+-]*$/.test(prefix) ? prefix.length : 0;
  let end = start;
  while (end < text.length) {
    const next = endOf(text, end, /\n/g);
    const line = text.slice(end, next).replace(/^[+-]/, ' ');
    if (line.trim() !== '' && line.length - line.trimStart().length <= indent) break;
    end = next + 1;
  }
  return [...text.slice(start, end).matchAll(/\S[^\n]*/g)].map(({ index, 0: line }): Range => [
    start + index,
    start + index + line.length,
  ]);
}

function isLineStart(text: string, from: number): boolean {
  return /^[+\s-]*(?:\d+[:|\t ]+)?(?:export\s+|set\s+|ENV\s+|ARG\s+)?["']?$/.test(before(text, from, 60));
}

/** What stands before on the same line, at most so many characters of it. */
function before(text: string, at: number, most: number): string {
  const part = text.slice(Math.max(0, at - most), at);
  return part.slice(part.lastIndexOf('\n') + 1);
}

function endOf(text: string, from: number, stop: RegExp, most = Number.POSITIVE_INFINITY): number {
  if (most !== Number.POSITIVE_INFINITY) return from + endOf(text.slice(from, from + most), 0, stop);
  stop.lastIndex = from;
  return stop.exec(text)?.index ?? text.length;
}

function sticky(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
