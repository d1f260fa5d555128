/** A value in an expression; null is what GitHub gives for a name that means nothing. */
export type Value = string | boolean | null;

/** What a name such as `inputs.region` stands for; undefined where that cannot be known. */
export type Lookup = (name: string) => Value | undefined;

const TEMPLATE = /\$\{\{(.*?)\}\}/gs;
const TOKEN =
  /\s*(?:(?<text>'(?:[^']|'')*')|(?<name>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*|\['[\w-]+'\])*)|(?<sign>&&|\|\||==|!=|[!()]))/y;
const MAX_LENGTH = 2000;

/**
 * The text with its `${{ … }}` replaced by their values, for expressions of names, texts, `==`, `!=`, `!`, `&&` and `||`,
 * which are those that environments are chosen by. Undefined where any part of it cannot be known.
 */
export function resolveTemplate(text: string, lookup: Lookup): string | undefined {
  if (!text.includes('${{')) return text;
  if (text.length > MAX_LENGTH) return undefined;
  let known = true;
  const resolved = text.replaceAll(TEMPLATE, (_whole, inner: string) => {
    const value = evaluate(inner, lookup);
    if (value === undefined) known = false;
    return `${value ?? ''}`;
  });
  return known && !resolved.includes('${{') ? resolved : undefined;
}

/** The names that the text's expressions use: `matrix.env`. */
export function namesIn(text: string): string[] {
  return [...text.matchAll(TEMPLATE)].flatMap(([, inner]) =>
    (tokens(inner ?? '') ?? []).flatMap((token) => (token.name === undefined ? [] : [dotted(token.name)])),
  );
}

interface Token {
  text?: string;
  name?: string;
  sign?: string;
}

function tokens(expression: string): Token[] | undefined {
  const found: Token[] = [];
  const pattern = new RegExp(TOKEN);
  const trimmed = expression.trimEnd();
  while (pattern.lastIndex < trimmed.length) {
    const match = pattern.exec(trimmed);
    if (!match?.groups) return undefined;
    found.push(match.groups);
  }
  return found;
}

/** Names are alike in either spelling and any letter case: `inputs['Env']` is `inputs.env`. */
function dotted(name: string): string {
  return name.replaceAll(/\['([\w-]+)'\]/g, '.$1').toLowerCase();
}

function evaluate(expression: string, lookup: Lookup): Value | undefined {
  const list = tokens(expression);
  if (!list) return undefined;
  let at = 0;
  const takes = (sign: string) => {
    if (list[at]?.sign !== sign) return false;
    at += 1;
    return true;
  };

  function either(): Value | undefined {
    let left = both();
    while (takes('||')) {
      const right = both();
      left = left === undefined ? undefined : truthy(left) ? left : right;
    }
    return left;
  }
  function both(): Value | undefined {
    let left = comparison();
    while (takes('&&')) {
      const right = comparison();
      left = left === undefined ? undefined : truthy(left) ? right : left;
    }
    return left;
  }
  function comparison(): Value | undefined {
    const left = single();
    const sign = ['==', '!='].find(takes);
    if (sign === undefined) return left;
    const same = equal(left, single());
    return same === undefined ? undefined : same === (sign === '==');
  }
  function single(): Value | undefined {
    if (takes('!')) {
      const value = single();
      return value === undefined ? undefined : !truthy(value);
    }
    if (takes('(')) {
      const value = either();
      return takes(')') ? value : undefined;
    }
    const token = list?.[at++];
    if (token?.text !== undefined) return token.text.slice(1, -1).replaceAll("''", "'");
    if (token?.name === undefined) return undefined;
    const name = dotted(token.name);
    if (name === 'true' || name === 'false') return name === 'true';
    return name === 'null' ? null : lookup(name);
  }

  const value = either();
  // What is left over, such as a call's arguments, is not understood.
  return at === list.length ? value : undefined;
}

function truthy(value: Value): boolean {
  return value !== null && value !== '' && value !== false;
}

/** GitHub compares texts without letter case; values of two types it turns into numbers, which is not followed. */
function equal(left: Value | undefined, right: Value | undefined): boolean | undefined {
  if (left === undefined || right === undefined) return undefined;
  if (typeof left === 'string' && typeof right === 'string') {
    if (/[^\0-\x7F]/.test(left + right)) return undefined;
    return left.toLowerCase() === right.toLowerCase();
  }
  return typeof left === typeof right ? left === right : undefined;
}
