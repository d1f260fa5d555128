import type { Json } from '../core/json.ts';
import { hintsAtSecret, isSecretName } from '../core/secret-names.ts';
import { TOKEN_SHAPES } from '../core/token-shapes.ts';
import { maskAssignments } from './assignments.ts';
import { maskCredentials } from './credentials.ts';
import { maskEncoded, maskQuotedLines } from './encoded.ts';
import { maskKnown } from './known.ts';
import { MASK, masked, maskRanges } from './mask.ts';
import { loadRules, type Finder } from './rules.ts';
import { createStreamRedactor, type StreamRedactor } from './stream.ts';
import { isOrdinaryVariable, maskDiffSides, maskEngineJson, maskKeys, maskSecretObjects } from './structures.ts';

export { knownSecrets, secretsOf } from './known.ts';
export { MASK } from './mask.ts';

export interface Redactor {
  /** The text with every secret masked, line by line; keys and names stay visible. */
  text: (text: string) => string;
  /** The same for every string of a value, and for everything under a secret-looking key. */
  json: <T extends Json>(value: T) => T;
  /** For a text that comes in pieces. */
  stream: () => StreamRedactor;
  /** Loads the maintained rule set; what is masked before has our own part alone. Cheap when it is loaded. */
  ready: () => Promise<void>;
}

/** A redactor that also knows the given values, as they are and as programs encode them. */
export function createRedactor(known: Iterable<string>): Redactor {
  const literals = maskKnown(known);
  let rules: Finder | undefined;

  /** Lines stay lines, so that what stands on which line stays true. */
  const plain = (input: string, depth: number): string => {
    let output = maskKeys(literals(input));
    for (const shape of TOKEN_SHAPES) output = output.replace(shape, masked);
    output = maskAssignments(maskEngineJson(maskSecretObjects(maskCredentials(output))));
    if (rules) output = maskRanges(output, rules(output));
    if (depth === 0) output = maskDiffSides(output, (side) => plain(side, 1));
    return maskEncoded(maskQuotedLines(output, plain, depth), plain, depth);
  };
  const text = (input: string) => (input === '' ? input : plain(input, 0));

  const visit = (value: Json, secret: boolean): Json => {
    if (typeof value === 'string') return secret && value !== '' ? MASK : text(value);
    if (typeof value === 'number') return secret ? MASK : value;
    if (Array.isArray(value)) return value.map((item, at) => visit(item, secret || isFlagsValue(value, at)));
    if (typeof value !== 'object' || value === null) return value;
    const named = namedValue(value);
    const isSecret = value['kind'] === 'Secret';
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        text(key),
        key === 'Env' && Array.isArray(inner)
          ? inner.map(engineVariable)
          : visit(
              inner,
              (secret && !REFERENCE_KEYS.has(key)) ||
                (isSecret && (key === 'data' || key === 'stringData')) ||
                key === named ||
                isSecretName(key),
            ),
      ]),
    );
  };

  function engineVariable(entry: Json): Json {
    if (typeof entry !== 'string') return visit(entry, false);
    const [, name = '', value = ''] = /^([\w.-]{1,128}=)([\s\S]*)$/.exec(entry) ?? [];
    return value === '' || isOrdinaryVariable(name.slice(0, -1)) ? text(entry) : `${name}${MASK}`;
  }

  const redactor: Redactor = {
    text,
    json: <T extends Json>(value: T) => visit(value, false) as T,
    stream: () => createStreamRedactor(text),
    async ready() {
      rules ??= await loadRules();
    },
  };
  return redactor;
}

/** Whether the item before is a flag that takes a secret: `--password`, and the `-p` of `docker login`. */
function isFlagsValue(items: readonly Json[], at: number): boolean {
  const before = items[at - 1];
  const flag = typeof before === 'string' ? /^--?([\w-]{1,100})$/.exec(before)?.[1] : undefined;
  return flag !== undefined && (isSecretName(flag) || (flag === 'p' && items.includes('login')));
}

/** Under a secret's key these say which secret, or how it is mounted. */
const REFERENCE_KEYS = new Set(['secretName', 'optional', 'defaultMode', 'kind', 'apiVersion']);

/** `{ name: 'DB_PASSWORD', value: … }`, as in a container's environment: which key has the value. */
function namedValue(value: Readonly<Record<string, Json>>): string | undefined {
  for (const [name, held] of [
    ['name', 'value'],
    ['key', 'value'],
    ['Name', 'Value'],
    ['Key', 'Value'],
    ['header', 'value'],
  ] as const)
    if (typeof value[name] === 'string' && typeof value[held] === 'string' && hintsAtSecret(value[name])) return held;
  return undefined;
}
