import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type Pair } from 'yaml';

import type { Cited, Note } from './facts.ts';
import { unusable } from './unusable.ts';

/** What is understood of front matter, each value with its line. */
export interface FrontMatter {
  name?: Cited;
  mode?: Cited;
  description?: Cited;
  persona?: Cited;
  budget?: Cited & { tokens: number };
  focus?: Cited;
  security?: Cited;
  tools: Cited[];
  restricted: Cited[];
  servers: Cited[];
  unused: Note[];
}

/** Keys with one word or number, and where they go. */
const WORDS: Readonly<Record<string, 'name' | 'mode' | 'description' | 'persona' | 'focus' | 'security'>> = {
  name: 'name',
  mode: 'mode',
  description: 'description',
  hypertool_persona: 'persona',
  cognitive_focus: 'focus',
  security_level: 'security',
};

/** Known keys that change nothing here. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  tools_via_hypertool: 'tools_via_hypertool has no effect: Holdpoint works in front of hypertool and behind it alike',
  model: 'model has no effect: the client chooses the model',
};

/**
 * Reads front matter. Unknown keys are reported; a known key that cannot be read as it is meant stops the import, since
 * it may restrict something.
 *
 * @throws HoldpointError `invalid_input` with file and line for what is no YAML, a key that stands twice, or a wrong value.
 */
export function readFrontMatter({ text, line: first }: { text: string; line: number }, file: string): FrontMatter {
  const counter = new LineCounter();
  const lineOf = (offset: number | undefined) => counter.linePos(offset ?? 0).line + first - 1;
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true, merge: false, prettyErrors: false });
  const [broken] = [...document.errors, ...document.warnings];
  if (broken !== undefined)
    throw unusable(file, lineOf(broken.pos[0]), `its front matter is not readable as YAML (${broken.message})`);
  const found: FrontMatter = { tools: [], restricted: [], servers: [], unused: [] };
  if (document.contents === null) return found;
  if (!isMap(document.contents)) throw unusable(file, first, 'its front matter has no keys and values');

  const at = (node: unknown): number => lineOf((node as Node | null)?.range?.[0]);
  const unused = (pair: Pair, says: string) => found.unused.push({ says, lines: [at(pair.key)] });
  const word = ({ key, value }: Pair): Cited => {
    if (!isScalar(value) || !['string', 'number', 'boolean'].includes(typeof value.value))
      throw unusable(file, at(key), `${keyOf(key)} must be a text`);
    return { words: String(value.value).trim(), line: at(value) };
  };
  const list = (pair: Pair): Cited[] => {
    const { key, value } = pair;
    if (isScalar(value)) {
      const { words, line } = word(pair);
      return words.split(/[,\s]+(?![^()]*\))/).flatMap((each) => (each === '' ? [] : [{ words: each, line }]));
    }
    if (!isSeq(value)) throw unusable(file, at(key), `${keyOf(key)} must be a list of texts`);
    return value.items.map((item) => {
      if (!isScalar(item) || typeof item.value !== 'string')
        throw unusable(file, at(item), `${keyOf(key)} must be a list of texts`);
      return { words: item.value.trim(), line: at(item) };
    });
  };

  for (const pair of document.contents.items) {
    const key = keyOf(pair.key);
    const single = Object.hasOwn(WORDS, key) ? WORDS[key] : undefined;
    if (single !== undefined) found[single] = word(pair);
    else if (key === 'persona_token_budget') {
      const cited = word(pair);
      const tokens = Number(cited.words);
      if (!Number.isInteger(tokens) || tokens < 200 || tokens > 100_000)
        throw unusable(file, cited.line, `persona_token_budget is ${cited.words}; write a whole number from 200 on`);
      found.budget = { ...cited, tokens };
    } else if (key === 'tools') found.tools = list(pair);
    else if (key === 'security') {
      if (!isMap(pair.value)) throw unusable(file, at(pair.key), 'security must have keys and values');
      for (const inner of pair.value.items) {
        const name = keyOf(inner.key);
        if (name === 'restricted_paths') found.restricted = list(inner);
        else if (name === 'allowed_mcp_servers') found.servers = list(inner);
        else unused(inner, `unknown key security.${shown(name)}`);
      }
    } else unused(pair, Object.hasOwn(WITHOUT_EFFECT, key) ? WITHOUT_EFFECT[key]! : `unknown key ${shown(key)}`);
  }
  return found;
}

function keyOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : '(a key that is no text)';
}

function shown(key: string): string {
  return JSON.stringify(key.slice(0, 60));
}
