import type { Cited, RoleFact } from './facts.ts';
import { slug } from './facts.ts';
import type { Entry } from './markdown.ts';

/** Roles to delegate to and to consult, each with what for. */
export function namedRoles(entries: readonly Entry[]): RoleFact[] {
  const found = entries.flatMap((entry, index): RoleFact[] => [
    ...inBrackets(entry),
    ...inSentences(entry),
    ...labelled(entry),
    ...underHeading(entry, entries, index),
  ]);
  const known = found.map(({ role }) => role);
  // `QA` is the qa-engineer that the document names elsewhere.
  const whole = (role: string) =>
    known.filter((each) => each.startsWith(`${role}-`)).sort((a, b) => a.length - b.length)[0] ?? role;
  return found.map((fact) => ({ ...fact, role: whole(fact.role) }));
}

/** `No test writing (delegate to qa-engineer)`. */
function inBrackets({ text, line }: Entry): RoleFact[] {
  const match = /^(.{1,300}?)\((delegate to|consult)\s+([\w/ -]{2,100})\)/i.exec(text);
  if (!match) return [];
  const [, about = '', how = '', roles = ''] = match;
  return rolesOf(roles).map((role) => ({ role, way: wayOf(how), about: about.trim(), line, words: text }));
}

/** `For testing, delegate to qa-engineer.` */
function inSentences({ text, line, kind }: Entry): RoleFact[] {
  if (kind === 'code' || text.length > 2000) return [];
  return [...text.matchAll(/\bFor ([\w ,/-]{3,80}), (delegate to|consult) ([\w-]+(?: or [\w-]+)*)/gi)].flatMap(
    ([, about = '', how = '', roles = '']) =>
      rolesOf(roles).map((role) => ({ role, way: wayOf(how), about, line, words: text })),
  );
}

/** `Consult Architect: For …` anywhere, and `Architect: …` under a heading that says to consult. */
function labelled({ text, line, path, kind }: Entry): RoleFact[] {
  if (kind !== 'item') return [];
  const direct = /^(delegate to|consult)\s+([\w/ -]{2,60}):\s*(?:for\s+)?(.+)$/i.exec(text);
  if (direct) {
    const [, how = '', roles = '', about = ''] = direct;
    return rolesOf(roles).map((role) => ({ role, way: wayOf(how), about, line, words: text }));
  }
  const consulted = path.some((heading) => /\b(?:when|whom?) to consult\b/i.test(heading));
  const [, roles = '', about = ''] = (consulted && /^([A-Z][\w/ -]{1,40}):\s*(.+)$/.exec(text)) || [];
  return rolesOf(roles).map((role) => ({ role, way: 'consult', about, line, words: text }));
}

/** `With QA Engineer` under a heading of coordination: its items say what for. */
function underHeading({ kind, text, line, path, depth }: Entry, entries: readonly Entry[], index: number): RoleFact[] {
  if (kind !== 'heading') return [];
  const among = path.some((heading) => /\b(?:coordination|collaboration|integration) (?:with|points)\b/i.test(heading));
  if (!among) return [];
  const role = /^(?:with )?([A-Z][\w/ -]{1,40})$/i.exec(text)?.[1];
  if (role === undefined) return [];
  const next = entries.findIndex((each, at) => at > index && each.kind === 'heading' && each.depth <= depth);
  const items = entries.slice(index + 1, next < 0 ? undefined : next).filter((each) => each.kind === 'item');
  const about = items.map((item) => item.text).join('; ');
  return [{ role: roleSlug(role), way: 'consult', about, line, words: text }];
}

function rolesOf(written: string): string[] {
  return written
    .split(/\/|\bor\b|,/)
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map(roleSlug);
}

function roleSlug(name: string): string {
  // `ProductManager` is two words.
  return slug(name.replace(/([a-z])([A-Z])/g, '$1 $2'));
}

function wayOf(how: string): RoleFact['way'] {
  return /consult/i.test(how) ? 'consult' : 'delegate';
}

/** What work can be whose. */
const CONCERNS = {
  tests: /\btest(?:s|ing)?\b|\bQA\b/i,
  ui: /\bUI\b|\bfront-?end\b|\buser interfaces?\b/i,
  code: /\bapplication (?:code|requirements)\b|\bAPIs?\b|\bapplication code changes\b|\bbackend\b/i,
  architecture: /\barchitect/i,
  secrets: /\bcredentials?\b|\bsecrets? management\b/i,
} as const;

export type Concern = keyof typeof CONCERNS;

/** Words in a role's own name that tell that the work is its own. */
const BY_NAME: Readonly<Record<Concern, RegExp>> = {
  tests: /^(?:qa|test)/,
  ui: /^(?:frontend|ui)/,
  code: /^(?:backend|dev(?:eloper)?s?$|coding|dev-agents)/,
  architecture: /^architect/,
  secrets: /^(?:credential|secret|vault)/,
};

/** The document's own role for each sort of work that it names one for. */
export function rolesByConcern(roles: readonly RoleFact[]): Partial<Record<Concern, Cited & { role: string }>> {
  const concerns = Object.keys(CONCERNS) as Concern[];
  return Object.fromEntries(
    concerns.flatMap((concern) => {
      const named = roles.find(({ role }) => BY_NAME[concern].test(role));
      const told = roles.find(({ way, about }) => way === 'delegate' && CONCERNS[concern].test(about));
      const found = named ?? told;
      return found ? [[concern, { role: found.role, line: found.line, words: found.words }]] : [];
    }),
  );
}
