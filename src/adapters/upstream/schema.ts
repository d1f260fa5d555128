import { hiddenCharacters, plainLine } from '../../core/foreign.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

/** Bytes, levels and, with every reference followed, parts of a schema. */
const BYTES = 65_536;
const LEVELS = 24;
const PARTS = 4000;
/** Characters of a description of an argument. */
const DESCRIPTION = 200;

const NUMBERS = new Set(
  'minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength minItems maxItems minProperties maxProperties minContains maxContains'.split(
    ' ',
  ),
);
const ONE =
  'items additionalProperties additionalItems not if then else contains propertyNames unevaluatedProperties unevaluatedItems'.split(
    ' ',
  );
const LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems'];
const MAPS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'];
const TYPES = new Set(['null', 'boolean', 'object', 'array', 'number', 'integer', 'string']);
const UNSAFE = new Set(['__proto__', 'constructor', 'prototype']);

class Refused extends Error {}

/**
 * The schema of another server's tool with nothing in it but what JSON Schema knows: bounded, texts made plain, no reference
 * that leads elsewhere or back to itself. What is left means the same, or the tool is not taken.
 *
 * @returns why it is not taken, in words that follow the tool's name, in place of the schema.
 */
export function cleanSchema(raw: Json): { schema: JsonObject } | { problem: string } {
  try {
    if (JSON.stringify(raw).length > BYTES) throw new Refused(`has a schema of more than ${BYTES / 1024} KiB`);
    const schema = clean(raw, 0);
    if (typeof schema !== 'object' || (schema['type'] ?? 'object') !== 'object')
      throw new Refused('has a schema that is none of an object');
    follow(schema, schema, [], { left: PARTS });
    const dialect = isJsonObject(raw) ? raw['$schema'] : undefined;
    const old = typeof dialect === 'string' && /draft-0[467]/.test(dialect);
    return { schema: { ...(old && { $schema: DRAFT_7 }), type: 'object', ...schema } };
  } catch (thrown) {
    if (thrown instanceof Refused) return { problem: thrown.message };
    throw thrown;
  }
}

/** Under this mark `items` may be a list; without one a schema is of 2020-12. */
export const DRAFT_7 = 'http://json-schema.org/draft-07/schema#';

function clean(raw: Json, level: number): JsonObject | boolean {
  if (typeof raw === 'boolean') return raw;
  if (!isJsonObject(raw)) throw new Refused('has a schema with a part that is none');
  if (level > LEVELS) throw new Refused(`has a schema of more than ${LEVELS} levels`);
  const entries = Object.entries(raw).flatMap(([key, value]): [string, Json][] => {
    const kept = keep(key, value, level);
    return kept === undefined ? [] : [[key, kept]];
  });
  return Object.fromEntries(entries);
}

/** What stays of a keyword's value; undefined where the keyword says nothing about which arguments are right. */
function keep(key: string, value: Json, level: number): Json | undefined {
  if (NUMBERS.has(key)) return typeof value === 'number' ? value : undefined;
  if (ONE.includes(key))
    return key === 'items' && Array.isArray(value)
      ? value.map((each) => clean(each, level + 1))
      : clean(value, level + 1);
  if (LISTS.includes(key)) {
    if (!Array.isArray(value) || value.length === 0) throw new Refused(`has a schema whose ${key} is no list`);
    return value.map((each) => clean(each, level + 1));
  }
  if (MAPS.includes(key)) {
    if (!isJsonObject(value)) throw new Refused(`has a schema whose ${key} is no mapping`);
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [checkedName(name), clean(each, level + 1)]));
  }
  switch (key) {
    case 'type': {
      const types = Array.isArray(value) ? value : [value];
      if (!types.every((type) => typeof type === 'string' && TYPES.has(type)))
        throw new Refused('has a schema with an unknown type');
      return value;
    }
    case 'required':
      if (!Array.isArray(value) || !value.every((name) => typeof name === 'string'))
        throw new Refused('has a schema whose required is no list of names');
      return value.map(checkedName);
    case 'enum':
      if (!Array.isArray(value)) throw new Refused('has a schema whose enum is no list');
      return value.map(checkedValue);
    case 'const':
      return checkedValue(value);
    case 'pattern':
      return typeof value === 'string' && value.length <= 500 && hiddenCharacters(value).length === 0
        ? value
        : undefined;
    case 'format':
      return typeof value === 'string' && /^[\w-]{1,40}$/.test(value) ? value : undefined;
    case 'description':
      return typeof value === 'string' ? cut(plainLine(value), DESCRIPTION) : undefined;
    case 'default':
      return isJsonObject(value) || Array.isArray(value) ? undefined : checkedValue(value);
    case '$ref':
      if (typeof value !== 'string' || !/^#(?:\/[^/]+)+$/.test(value))
        throw new Refused('has a schema that refers to something outside of it');
      return value;
    case '$dynamicRef':
    case '$recursiveRef':
    case 'dependencies':
    case 'dependentRequired':
      throw new Refused(`has a schema with ${key}, which Holdpoint does not check`);
    default:
      return undefined;
  }
}

/** Names and values that would have to be sent as they are cannot be made plain. */
function checkedName(name: string): string {
  if (UNSAFE.has(name) || name.length > 200) throw new Refused('has an argument whose name is not allowed');
  if (hiddenCharacters(name).length > 0) throw new Refused('has an argument with hidden characters in its name');
  return name;
}

function checkedValue(value: Json): Json {
  if (hiddenCharacters(JSON.stringify(value)).length > 0) throw new Refused('has hidden characters in a value');
  return value;
}

/** Walks the schema as a check of arguments would, each reference followed: neither in a circle nor without an end. */
function follow(part: Json, root: JsonObject, through: readonly string[], budget: { left: number }): void {
  if (--budget.left < 0) throw new Refused('has a schema that takes too long to check');
  if (Array.isArray(part)) for (const each of part) follow(each, root, through, budget);
  if (!isJsonObject(part)) return;
  const ref = part['$ref'];
  if (typeof ref === 'string') {
    if (through.includes(ref)) throw new Refused('has a schema that refers to itself');
    follow(resolve(ref, root), root, [...through, ref], budget);
  }
  for (const [key, value] of Object.entries(part))
    if (ONE.includes(key) || LISTS.includes(key)) follow(value, root, through, budget);
    else if (key !== '$defs' && key !== 'definitions' && MAPS.includes(key) && isJsonObject(value))
      for (const each of Object.values(value)) follow(each, root, through, budget);
}

function resolve(ref: string, root: JsonObject): Json {
  const parts = ref
    .slice(2)
    .split('/')
    .map((part) => decode(part).replaceAll('~1', '/').replaceAll('~0', '~'));
  const found = parts.reduce<Json | undefined>((at, part) => {
    if (Array.isArray(at)) return at[Number(part)];
    return isJsonObject(at) && Object.hasOwn(at, part) ? at[part] : undefined;
  }, root);
  if (found === undefined) throw new Refused('has a schema that refers to something that is not in it');
  return found;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function cut(text: string, most: number): string {
  const letters = Array.from(text);
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join('')}…`;
}
