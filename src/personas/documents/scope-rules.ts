import { coversPath, likelyPaths } from '../../policy/lint/samples.ts';
import type { Base, ExampleText, RuleText } from './base-policy.ts';
import { linesText, type DocumentFacts, type FileFact, type Note } from './facts.ts';
import { rolesByConcern, type Concern } from './roles.ts';

export interface ScopeRules {
  rules: RuleText[];
  /** What the document says of files that a rule of every persona closes. */
  closed: ReadonlySet<FileFact>;
  notes: Note[];
}

/** A document's own rules about files: what is its to write and to read, what is closed, and whose the rest is. */
export function scopeRules(facts: DocumentFacts, base: Base, file: string): ScopeRules {
  const notes: Note[] = [];
  const overruled = new Set<FileFact>();
  const where = (found: readonly { line: number }[]) => `${file}, ${linesText(found.map(({ line }) => line))}`;
  const roles = rolesByConcern(facts.roles);
  const closing = base.common.filter(({ decision, when }) => decision === 'deny' && when['path'] && !when['effect']);
  const own = facts.files.filter((fact) => {
    const by = closing.find(({ when }) =>
      coversPath([when['path'] ?? []].flat(), true, fact.pattern, fact.access === 'deny'),
    );
    if (by !== undefined) {
      if (fact.access !== 'deny') overruled.add(fact);
      notes.push({
        says: `${fact.pattern}: the rule ${by.id} of every persona closes it${fact.access === 'deny' ? ' already' : ''}`,
        lines: [fact.line],
      });
    }
    return by === undefined;
  });
  const of = (access: FileFact['access']) => own.filter((fact) => fact.access === access);
  const written = of('write');
  const read = [...of('read'), ...buildInputs(facts, base)];
  const closed = (matching: (fact: FileFact) => boolean, id: string, what: string, role: string) =>
    closedRule(of('deny').filter(matching), id, what, role, where);
  const frontend = ({ pattern }: FileFact) => /front-?end/i.test(pattern);
  const restricted = ({ from }: FileFact) => from === 'restricted path';
  const code = roles.code?.role ?? handOffOf(base, 'application-code') ?? 'backend-dev';
  const ui = roles.ui?.role ?? handOffOf(base, 'app-ui') ?? 'frontend-dev';
  return {
    closed: overruled,
    notes,
    rules: [
      ...allowRule(
        'infrastructure-files',
        written,
        `These files are this persona's to read and write (${where(written)}).`,
      ),
      ...allowRule(
        'reference-files',
        read,
        `These are readable for reference and never written (${where(read)}).`,
        'read',
      ),
      ...closed(
        (fact) => restricted(fact) && !frontend(fact),
        'restricted-packages',
        'are out of scope, for reading too',
        code,
      ),
      ...closed((fact) => restricted(fact) && frontend(fact), 'app-frontend', 'are out of scope, for reading too', ui),
      ...closed(
        (fact) => !restricted(fact),
        'restricted-application',
        'are closed to this persona, for reading too',
        code,
      ),
      ...othersWork(facts, base, roles, where),
    ],
  };
}

/** Who keeps files of others' work: the default persona's patterns, with the document's roles and lines. */
function othersWork(
  facts: DocumentFacts,
  base: Base,
  roles: ReturnType<typeof rolesByConcern>,
  where: (found: readonly { line: number }[]) => string,
): RuleText[] {
  const parts: { id: string; concern: Concern; what: string; granted: boolean }[] = [
    { id: 'app-tests', concern: 'tests', what: 'Tests', granted: facts.grants.has('tests') },
    { id: 'app-ui', concern: 'ui', what: 'User interfaces', granted: false },
    { id: 'application-code', concern: 'code', what: 'Application code', granted: facts.grants.has('code') },
    { id: 'architecture', concern: 'architecture', what: 'Architecture', granted: writesDecisions(facts) },
  ];
  return parts.flatMap(({ id, concern, what, granted }) => {
    const rule = base.scope(id);
    if (rule === undefined || granted) return [];
    const named = roles[concern];
    const role = named?.role ?? rule.handOff ?? rule.consult ?? 'architect';
    const cited = named === undefined ? '' : ` (${where([named])})`;
    return [
      {
        ...rule,
        ...(rule.consult === undefined ? { handOff: role } : { consult: role }),
        reason: `${what} ${what.endsWith('s') ? 'are' : 'is'} ${role}'s${cited}; say what should change and why.`,
        // Whether code may be read is the document's to say.
        examples: rule.examples.filter(({ expect }) => expect === 'deny'),
      },
    ];
  });
}

/** Whether records of decisions are among what the document gives to the role. */
function writesDecisions({ files }: DocumentFacts): boolean {
  return files.some(
    ({ access, pattern }) => access === 'write' && coversPath([pattern], false, 'docs/adr/*.md', false),
  );
}

function handOffOf(base: Base, id: string): string | undefined {
  return base.scope(id)?.handOff;
}

/** What images are built from may be read by whoever writes their Dockerfiles. */
function buildInputs(facts: DocumentFacts, base: Base): FileFact[] {
  const made = facts.files.find(
    ({ from, access, pattern }) => from === 'kind' && access === 'write' && /Dockerfile/.test(pattern),
  );
  if (made === undefined) return [];
  const paths = [base.scope('reference-files')?.when['path'] ?? []].flat();
  return paths
    .filter((pattern) => pattern.startsWith('**/'))
    .map((pattern) => ({ ...made, pattern, access: 'read' as const }));
}

function allowRule(id: string, facts: readonly FileFact[], reason: string, effect?: 'read'): RuleText[] {
  if (facts.length === 0) return [];
  const path = [...new Set(facts.map(({ pattern }) => pattern))];
  const call = (at: string, expect: ExampleText['expect']): ExampleText =>
    effect === 'read' && expect === 'allow'
      ? { tool: 'view', input: { path: at }, expect }
      : { tool: 'save-file', input: { path: at, content: 'x' }, expect };
  const allowed = path.flatMap((pattern) =>
    likelyPaths(pattern)
      .slice(-1)
      .map((names) => call(names.join('/'), 'allow')),
  );
  const outside = call('elsewhere/notes.txt', 'deny');
  return [
    {
      id,
      decision: 'allow',
      when: { kind: 'file', ...(effect && { effect }), path },
      reason,
      examples: [...allowed, outside],
    },
  ];
}

function closedRule(
  facts: readonly FileFact[],
  id: string,
  what: string,
  role: string,
  where: (found: readonly { line: number }[]) => string,
): RuleText[] {
  if (facts.length === 0) return [];
  const path = [...new Set(facts.map(({ pattern }) => pattern))];
  const shown = path.length > 3 ? `${path.slice(0, 3).join(', ')} and ${path.length - 3} more` : path.join(', ');
  return [
    {
      id,
      decision: 'deny',
      when: { kind: 'file', path },
      reason: `${shown} ${what} (${where(facts)}); describe what you need to ${role}.`,
      handOff: role,
      examples: path.flatMap((pattern) =>
        likelyPaths(pattern)
          .slice(-1)
          .map((names) => ({ tool: 'view', input: { path: names.join('/') }, expect: 'deny' as const })),
      ),
    },
  ];
}
