import { hintsAtSecret } from '../core/secret-names.ts';
import { MASK, masked } from './mask.ts';

/** `BEGIN … PRIVATE KEY` to its end, or to the text's where the end is cut off; line breaks may be written as `\n`. */
const KEY_BLOCK =
  /-----BEGIN (?:[A-Z\d]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END (?:[A-Z\d]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----|$)/g;

const KEY_ENDS = /-----END (?:[A-Z\d]{1,20} ){0,4}PRIVATE KEY/;
/** A line of a key: nothing but base64 after what a log or a diff puts before it. */
const KEY_LINE = /(?:^|[\s|>+-])[\w+/]{8,200}={0,2}["',\\]{0,3}\s*$/;

/** Masks private keys, whole or cut. */
export function maskKeys(text: string): string {
  if (!text.includes('PRIVATE KEY')) return text;
  const shown = text.replace(KEY_BLOCK, masked);
  if (!KEY_ENDS.test(shown)) return shown;
  // The beginning is cut off, as in the last lines of a log.
  const lines = shown.split('\n');
  for (let end = 0; end < lines.length; end += 1) {
    if (!KEY_ENDS.test(lines[end] ?? '')) continue;
    let at = end;
    do lines[at] = MASK;
    while (at > 0 && KEY_LINE.test((lines[(at -= 1)] ?? '').slice(-400)));
  }
  return lines.join('\n');
}

/** Masks what Kubernetes keeps in Secrets, in YAML, in a diff of it, and in JSON; the keys stay. */
export function maskSecretObjects(text: string): string {
  if (!/kind\\{0,7}["']?:\s*\\{0,7}["']?Secret\b/.test(text)) return text;
  return maskSecretJson(maskSecretYaml(text));
}

const JSON_KIND = /(\\{0,7}")kind\1\s*:\s*\1Secret\1/;
const JSON_DATA = /((\\{0,7}")(?:data|stringData)\2\s*:\s*\{)([^{}]{1,1048576})(\})/g;

function maskSecretJson(text: string): string {
  if (!JSON_KIND.test(text)) return text;
  return text.replace(JSON_DATA, (_all, open: string, quote: string, inside: string, close: string) => {
    const value = new RegExp(`(:\\s*${escaped(quote)})((?:(?!${escaped(quote)})[^\\n]){1,65536})`, 'g');
    return `${open}${inside.replace(value, `$1${MASK}`)}${close}`;
  });
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\');
}

/** Documents are parted by `---`; in each that is a Secret, the lines below `data:` and `stringData:`. */
function maskSecretYaml(text: string): string {
  const lines = text.split('\n');
  let start = 0;
  for (let at = 0; at <= lines.length; at += 1) {
    if (at < lines.length && !/^[ +-]?---(?:\s|$)/.test(lines[at] ?? '')) continue;
    const own = lines.slice(start, at);
    if (own.some((line) => SECRET_KIND.test(line) || SECRET_IN_LINE.test(line)))
      lines.splice(start, own.length, ...secretLines(own));
    start = at + 1;
  }
  return lines.join('\n');
}

/** A diff's sign or a list's dash may stand before it. */
const SECRET_KIND = /^[ +-]*(?:\d+[:\t |]+)?[ \t-]*kind:\s*["']?Secret["']?\s*(?:#.*)?$/;
const DATA = /^([ +-]?(?:\d+[:\t |]+)?[ \t]*(?:- )?)(?:data|stringData):\s*(\{.*\})?\s*(?:#.*)?$/;

/** A whole Secret that was made one line, as in an event's message. */
const SECRET_IN_LINE =
  /\bkind:\s*["']?Secret\b.*\b(?:data|stringData):\s|\b(?:data|stringData):\s.*\bkind:\s*["']?Secret\b/;

function flatSecret(line: string): string {
  return line.replace(/\b(?:data|stringData):\s.*$/, (rest) => rest.replace(/(:\s+)[^\s:]+(?=\s|$)/g, `$1${MASK}`));
}

function secretLines(lines: string[]): string[] {
  let inside: number | undefined;
  return lines.map((line) => {
    const indent = indentOf(line);
    if (inside !== undefined && line.trim() !== '' && indent <= inside) inside = undefined;
    const opened = DATA.exec(line);
    if (opened) {
      inside = indent;
      const flow = opened[2];
      return flow ? line.replace(flow, flow.replace(/(:\s*)("[^"]*"|'[^']*'|[^,{}]+)/g, `$1${MASK}`)) : line;
    }
    if (SECRET_IN_LINE.test(line)) return flatSecret(line);
    if (inside === undefined || line.trim() === '') return line;
    const entry = /^(.*?[\w.-]["']?:)(\s*)(\S.*)?$/.exec(line);
    if (!entry) return `${/^[ +-]?\s*/.exec(line)?.[0] ?? ''}${MASK}`;
    const [, key = '', gap = '', value] = entry;
    return value === undefined || /^[|>][-+\d]*$/.test(value.trim()) ? line : `${key}${gap}${MASK}`;
  });
}

function indentOf(line: string): number {
  return /^[+-]?(?:\d+[:\t |]+)?([ \t]*(?:- )?)/.exec(line)?.[1]?.length ?? 0;
}

/** `"Env": ["NAME=value", …]` of the Engine: every value but those that everybody has. */
export function maskEngineJson(text: string): string {
  if (!text.includes('Env')) return text;
  return text.replace(ENGINE_ENV, (_all, open: string, quote: string, inside: string) => {
    const sign = escaped(quote);
    const entry = new RegExp(`(${sign})([\\w.-]{1,128}=)((?:(?!${sign})[^\\n]){1,65536})(?=${sign})`, 'g');
    return `${open}${inside.replace(entry, (whole, begin: string, name: string) =>
      isOrdinaryVariable(name.slice(0, -1)) ? whole : `${begin}${name}${MASK}`,
    )}`;
  });
}

const ENGINE_ENV = /((\\{0,7}")Env\2\s*:\s*\[)([^\]]{1,1048576})/g;

/** Variables that say nothing of anybody: they may be read in an image's or container's own environment. */
export function isOrdinaryVariable(name: string): boolean {
  return (
    /^(?:PATH|HOME|USER|LANG|LC_\w+|TZ|TERM|SHELL|HOSTNAME|PWD|DEBIAN_FRONTEND|\w+_VERSION|NODE_ENV|PYTHON\w+|JAVA_HOME|GOPATH|LOG_LEVEL|PORT)$/.test(
      name,
    ) && !hintsAtSecret(name.replace(/^(?:PWD|PATH|GOPATH)$/, ''))
  );
}

/** Each side of a unified diff read by itself, for what stands on several lines stands apart in it. */
export function maskDiffSides(text: string, redact: (text: string) => string): string {
  if (!/^@@ -\d/m.test(text)) return text;
  const lines = text.split('\n');
  for (const sign of ['-', '+']) {
    const side = lines.flatMap((line, at) => (line[0] === ' ' || line[0] === sign ? [at] : []));
    const before = side.map((at) => lines[at]?.slice(1) ?? '');
    const after = redact(before.join('\n')).split('\n');
    for (const [index, at] of side.entries())
      if (after[index] !== before[index]) lines[at] = `${lines[at]?.[0] ?? ''}${after[index] ?? MASK}`;
  }
  return lines.join('\n');
}
