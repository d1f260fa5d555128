import type { Json } from '../core/json.ts';

export const MASK = '[redacted]';

/** Names whose values are secret wherever they stand: as an object's key, in `NAME=value`, in `name: value`. */
const SECRET_NAME = String.raw`[\w.-]{0,64}(?:passwords?|passwd|passphrase|secrets?|tokens?|api[-_]?keys?|access[-_]?keys?|private[-_]?keys?|signing[-_]?keys?|encryption[-_]?keys?|credentials?|authorization|auth[-_]?key|connection[-_]?string|dsn)`;

const SECRET_KEY = new RegExp(`^${SECRET_NAME}$`, 'i');

/** Keys that end like a secret's name and hold a name or a count, in our own results and in Kubernetes objects. */
const NOT_SECRET =
  /^(?:secretName|secretKeyRef|secretRef|imagePullSecrets|secrets|tokens|maxTokens|automountServiceAccountToken|schemaHash)$/;

/** Token shapes that vendors publish for scanners; each is specific enough to mask wherever it stands. */
const SHAPES: readonly RegExp[] = [
  /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|$)/g,
  /\beyJ[\w-]{8,4096}\.eyJ[\w-]{8,8192}\.[\w-]{8,4096}/g,
  /\bgh[pousr]_\w{30,}\b/g,
  /\bgithub_pat_\w{40,}\b/g,
  /\bglpat-[\w-]{18,}/g,
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
  /\bxox[abeprs]-[\w-]{10,}/g,
  /\bsk-(?:ant-|proj-|or-)?[\w-]{20,}/g,
  /\b[rs]k_(?:live|test)_\w{16,}/g,
  /\bglsa_\w{32,}/g,
  /\bAIza[\w-]{35}/g,
  /\bnpm_\w{36}\b/g,
  /\bdckr_pat_[\w-]{20,}/g,
  /\bhvs\.[\w-]{20,}/g,
  /\bSG\.[\w-]{16,}\.[\w-]{16,}/g,
];

/** `scheme://user:password@host`: the password goes, the rest stays. */
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]{0,31}:\/\/[^\s:/@]{0,200}:)[^\s/@]{1,500}(@)/gi;

const BEARER = /\b((?:bearer|basic)\s+)[\w+/=.~-]{12,}/gi;

/** `name: value` and `NAME=value` on one line. A value that refers to a secret (`${{ … }}`, `$(…)`, `<…>`) is none itself. */
const ASSIGNMENT = new RegExp(
  String.raw`((?:^|[\s"',;{(\[-])(?:["']?)${SECRET_NAME}["']?[ \t]*(?::|=|:=)[ \t]*)(?!["']?(?:\$[{(]|\{\{|<|\[redacted\]|secrets\.|(?:true|false|null|none|bearer|basic)\b))("[^"\n]{3,}"|'[^'\n]{3,}'|[^\s"',;})\]]{4,})`,
  'gim',
);

export interface Redactor {
  /** The text with every secret masked; keys and names stay visible. */
  text: (text: string) => string;
  /** The same for every string of a value, and for everything under a secret-looking key. */
  json: <T extends Json>(value: T) => T;
}

/** A redactor that also knows the given values, as they are and as base64. */
export function createRedactor(known: Iterable<string>): Redactor {
  const literals = [...new Set([...known].filter((value) => value.length >= 6).flatMap(spellings))].sort(
    (a, b) => b.length - a.length,
  );
  const literal = literals.length > 0 ? new RegExp(literals.map(escapeRegExp).join('|'), 'g') : undefined;
  const text = (input: string): string => {
    let output = literal ? input.replace(literal, MASK) : input;
    // Line by line, so that what stands on which line stays true.
    for (const shape of SHAPES) output = output.replace(shape, (found) => found.replace(/[^\n]+/g, MASK));
    return output.replace(URL_PASSWORD, `$1${MASK}$2`).replace(BEARER, `$1${MASK}`).replace(ASSIGNMENT, `$1${MASK}`);
  };
  const visit = (value: Json, secret: boolean): Json => {
    if (typeof value === 'string') return secret && value !== '' ? MASK : text(value);
    if (typeof value === 'number') return secret ? MASK : value;
    if (Array.isArray(value)) return value.map((item) => visit(item, secret));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        text(key),
        visit(inner, secret || (SECRET_KEY.test(key) && !NOT_SECRET.test(key))),
      ]),
    );
  };
  return { text, json: <T extends Json>(value: T) => visit(value, false) as T };
}

/** Values of environment variables whose names say that they are secret. */
export function secretsOf(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment)
    .filter(([name]) => SECRET_KEY.test(name) || /(?:_PASS|_PWD|_KEY|_CREDENTIALS|_PAT)$/i.test(name))
    .map(([, value]) => value);
}

function spellings(value: string): string[] {
  const base64 = Buffer.from(value).toString('base64');
  return [value, base64.replace(/=+$/, ''), encodeURIComponent(value), JSON.stringify(value).slice(1, -1)];
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
