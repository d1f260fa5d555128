import { Document, isMap, parseDocument } from 'yaml';

import { HoldpointError } from '../../core/errors.ts';

export const MEMORY_TYPES = ['note', 'edit', 'decision', 'status', 'completion'] as const;

export type MemoryType = (typeof MEMORY_TYPES)[number];

/** What is known of a memory besides its text. */
export interface FrontMatter {
  type: MemoryType;
  /** The role that wrote it last. */
  agent?: string;
  /** ISO 8601, as the file has them. */
  created?: string;
  updated?: string;
  /** Names of other memories. */
  links: string[];
  tags: string[];
  /** What is wrong with the front matter, where it could not be read. */
  problem?: string;
}

/** What a write changes; what is absent stays. */
export interface MemoryChange {
  /** The whole text anew. Front matter of its own is taken over, but for who and when. */
  content?: string;
  /** The text below the front matter, exactly. */
  body?: string;
  type?: MemoryType;
  links?: readonly string[];
  tags?: readonly string[];
  agent: string;
  /** ISO 8601; without it the dates stay as they are. */
  at?: string;
}

const MAX_FRONT = 16_384;
const MAX_LIST = 100;
const MAX_TEXT = 200;
/** Said by the server, whatever a text says of itself. */
const OURS: ReadonlySet<string> = new Set(['agent', 'created', 'updated']);

/** A memory's file as its parts. Never throws: front matter that cannot be read is said in `problem`, the text is all there. */
export function parseMemory(text: string): FrontMatter & { body: string } {
  const { document, body, problem } = split(text);
  const values = document ? (document.toJS() as Record<string, unknown>) : {};
  const { type, agent, created, updated, links, tags } = values;
  return {
    type: MEMORY_TYPES.find((each) => each === type) ?? 'note',
    ...textOf('agent', agent),
    ...textOf('created', created),
    ...textOf('updated', updated),
    links: listOf(links),
    tags: listOf(tags),
    ...(problem !== undefined && { problem }),
    body,
  };
}

/**
 * The file after a change: keys that are not ours stay as they are, with their comments.
 *
 * @param before the file as it is; undefined where there is none
 * @throws HoldpointError `invalid_input` where the front matter that is there cannot be read, or the new one cannot.
 */
export function composeMemory(before: string | undefined, change: MemoryChange): string {
  const was = readable(split(before ?? ''), 'The front matter that is there');
  const given = change.content === undefined ? undefined : readable(split(change.content), 'The new front matter');
  const document = was.document ?? given?.document ?? new Document({});
  const set = (key: string, value: unknown) => document.set(key, document.createNode(value, { flow: true }));
  if (document === given?.document) for (const key of OURS) document.delete(key);
  else
    for (const [key, value] of Object.entries((given?.document?.toJS() ?? {}) as Record<string, unknown>))
      if (!OURS.has(key)) document.set(key, document.createNode(value));
  if (change.type !== undefined || !document.has('type')) set('type', change.type ?? 'note');
  set('agent', change.agent);
  if (change.at !== undefined && before === undefined) set('created', change.at);
  if (change.at !== undefined) set('updated', change.at);
  if (change.links !== undefined || !document.has('links')) set('links', change.links ?? []);
  if (change.tags !== undefined) set('tags', change.tags);
  const text = given ? `\n${endingInLine(given.body.replace(/^(?:\r?\n)+/, ''))}` : (change.body ?? was.body);
  const isUnder = was.document !== undefined || given !== undefined || before === undefined;
  return `---\n${frontText(document)}---\n${isUnder ? text : `\n${text}`}`;
}

/** An anchor that was in a key of ours leaves its aliases without one. */
function frontText(document: Document): string {
  try {
    return document.toString({ lineWidth: 0 });
  } catch (cause) {
    throw new HoldpointError('invalid_input', 'The front matter would refer to what is not in it.', {
      hint: 'Write its values out, without & and *.',
      cause,
    });
  }
}

interface Parts {
  /** A map; undefined where the text has no front matter, or none that can be read. */
  document: Document | undefined;
  body: string;
  problem?: string;
}

function split(text: string): Parts {
  const opened = /^\uFEFF?---[ \t]*\r?\n/.exec(text);
  const rest = text.slice(opened?.[0].length ?? 0);
  const closed = opened && /(?:^|\n)---[ \t]*\r?(?:\n|$)/.exec(rest);
  if (!closed) return { document: undefined, body: text };
  const front = rest.slice(0, closed.index);
  const body = rest.slice(closed.index + closed[0].length);
  if (front.length > MAX_FRONT)
    return { document: undefined, body, problem: `it has more than ${MAX_FRONT} characters` };
  const document: Document = parseDocument(front, { prettyErrors: false });
  const [error] = document.errors;
  if (error) return { document: undefined, body, problem: error.message.split('\n')[0] ?? error.code };
  try {
    document.toJS();
  } catch (thrown) {
    return { document: undefined, body, problem: thrown instanceof Error ? thrown.message : 'it cannot be read' };
  }
  if (document.contents === null) return { document: new Document({}), body };
  // A text that begins with a ruled line has no front matter.
  return isMap(document.contents) ? { document, body } : { document: undefined, body: text };
}

function readable(parts: Parts, which: string): Parts {
  if (parts.problem === undefined) return parts;
  throw new HoldpointError('invalid_input', `${which} cannot be read: ${parts.problem}.`, {
    hint: 'Mend what stands between the --- lines, which is YAML, and repeat the call.',
  });
}

function endingInLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function textOf<K extends string>(key: K, value: unknown): { [key in K]?: string } {
  return typeof value === 'string' && value !== ''
    ? ({ [key]: value.slice(0, MAX_TEXT) } as { [key in K]?: string })
    : {};
}

function listOf(value: unknown): string[] {
  const texts = (Array.isArray(value) ? value : []).filter((each): each is string => typeof each === 'string');
  return texts.slice(0, MAX_LIST).map((each) => each.slice(0, MAX_TEXT));
}
