import { HoldpointError } from '../../core/errors.ts';
import type { MergeMethod } from './pulls.ts';

/** GitHub takes no longer ones. */
const MAX_TITLE = 256;
const MAX_BODY = 65_536;
/** What git allows in a branch's name, without what means something to a shell, an address or another repository. */
const BRANCH = /^(?![-/.])(?!.*(?:\.\.|\/\/|\/\.|@\{))[\p{L}\p{N}_./@+#=-]{1,250}(?<![/.]|\.lock)$/u;
/** What looks like something else than it is: control characters, and marks that turn the direction of text. */
const UNSEEN = /(?![\n\t])[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\p{Zl}\p{Zp}]/u;

interface Written {
  action: 'pr-list' | 'pr-view' | 'pr-create' | 'pr-merge';
  number?: number | undefined;
  title?: string | undefined;
  body?: string | undefined;
  head?: string | undefined;
  base?: string | undefined;
  method?: MergeMethod | undefined;
}

/** A call about pull requests, with what its action takes and nothing else. */
export type PullInput =
  | { action: 'pr-list'; head?: string; base?: string }
  | { action: 'pr-view'; number: number }
  | { action: 'pr-create'; title: string; body: string; head: string; base?: string }
  | { action: 'pr-merge'; number: number; base?: string; method?: MergeMethod };

const TAKES: Readonly<Record<Written['action'], readonly (keyof Written)[]>> = {
  'pr-list': ['head', 'base'],
  'pr-view': ['number'],
  'pr-create': ['title', 'body', 'head', 'base'],
  'pr-merge': ['number', 'base', 'method'],
};

/** @throws HoldpointError `invalid_input` for what is missing, not taken by the action, or cannot be what it says. */
export function pullInput(written: Written): PullInput {
  const { action, number, title, body = '', method } = written;
  const takes = TAKES[action];
  const all = ['number', 'title', 'body', 'head', 'base', 'method'] as const;
  const extra = all.filter((name) => written[name] !== undefined && !takes.includes(name));
  if (extra.length > 0) throw wrong(`${action} does not take ${extra.join(', ')}.`, `It takes ${takes.join(', ')}.`);
  const head = branch('head', written.head);
  const base = branch('base', written.base);
  const into = base === undefined ? {} : { base };
  if (action === 'pr-list') return { action, ...into, ...(head === undefined ? {} : { head }) };
  if (action === 'pr-create') {
    if (title === undefined || head === undefined)
      throw wrong('pr-create needs a title and a head.', 'head is the branch with the changes, pushed before.');
    if (head === base) throw wrong('head and base are the same branch.', 'base is the branch to merge into.');
    checkText(title, body);
    return { action, title: title.trim(), body, head, ...into };
  }
  if (number === undefined) throw wrong(`${action} needs a number.`, 'pr-list shows the open ones.');
  if (action === 'pr-view') return { action, number };
  return { action, number, ...into, ...(method === undefined ? {} : { method }) };
}

function branch(name: string, written: string | undefined): string | undefined {
  const found = written?.replace(/^refs\/heads\//, '');
  if (found !== undefined && !BRANCH.test(found))
    throw wrong(`${name} is no branch of the repository.`, 'Write its name alone, such as feature/login; no forks.');
  return found;
}

function checkText(title: string, body: string): void {
  if (title.trim() === '' || title.length > MAX_TITLE || /[\n\t]/.test(title))
    throw wrong(`The title has one line of 1 to ${MAX_TITLE} characters.`, 'Put the rest into the body.');
  if (body.length > MAX_BODY) throw wrong(`The body is longer than ${MAX_BODY} characters.`, 'Shorten it.');
  if (UNSEEN.test(title) || UNSEEN.test(body))
    throw wrong('Title or body have control or direction marks.', 'Write them with visible characters.');
}

function wrong(message: string, hint: string): HoldpointError {
  return new HoldpointError('invalid_input', message, { hint });
}
