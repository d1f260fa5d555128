import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

import { PERSONAS, POLICIES } from '../../config/locations.ts';
import { HoldpointError } from '../../core/errors.ts';

/** A rule as its file has it. */
export interface RuleText {
  id: string;
  decision: 'allow' | 'require_approval' | 'deny';
  when: Record<string, string | string[]>;
  reason: string;
  handOff?: string;
  consult?: string;
  approval?: { checklist?: string | string[] };
  examples: ExampleText[];
}

export interface ExampleText {
  tool: string;
  input?: Record<string, unknown>;
  targets?: object[];
  facts?: object;
  expect: 'allow' | 'require_approval' | 'deny';
}

export interface PolicyText {
  version: 1;
  name: string;
  environments: Record<string, Record<string, string[]>>;
  rules: RuleText[];
}

/** A checklist as its file has it. */
export interface ChecklistText {
  name: string;
  pre?: ItemText[];
  during?: ItemText[];
  post?: ItemText[];
}

export interface ItemText {
  id: string;
  says: string;
  evidence?: object;
  personMayTick?: boolean;
}

/** The default persona's rules about what is whose: a document's own stand in their place. */
const SCOPE = new Set([
  'infrastructure-files',
  'reference-files',
  'restricted-packages',
  'app-frontend',
  'restricted-application',
  'app-tests',
  'app-ui',
  'application-code',
  'architecture',
]);

export interface Base {
  /** The bytes that all this was read from. */
  text: string;
  /** Everything beside the rules: environments, windows, calendars. */
  rest: Omit<PolicyText, 'rules'>;
  /** What holds for every persona. */
  common: RuleText[];
  /** The one that they ask for before production changes. */
  checklist: ChecklistText;
  /** The default persona's rule of that name, for its patterns. */
  scope: (id: string) => RuleText | undefined;
  /** The tools that the default persona lists, in its order. */
  tools: string[];
}

/** The default persona's policy and tools: the one source of what every persona from a document has. */
export async function loadBase(): Promise<Base> {
  const [text, persona] = await Promise.all([
    readFile(join(POLICIES, 'devops.yaml'), 'utf8'),
    readFile(join(PERSONAS, 'devops/persona.yaml'), 'utf8'),
  ]);
  const { rules, ...rest } = parse(text) as PolicyText;
  // With two, an item of a document could be asked for by one rule and left out by the other.
  const [name, another] = new Set(rules.flatMap(({ approval }) => approval?.checklist ?? []));
  if (name === undefined || another !== undefined)
    throw new HoldpointError('internal', 'The default policy does not ask for exactly one checklist.');
  const checklist = await readFile(join(POLICIES, `checklists/${name}.yaml`), 'utf8');
  return {
    text: text + persona + checklist,
    rest,
    common: rules.filter(({ id }) => !SCOPE.has(id)),
    checklist: parse(checklist) as ChecklistText,
    scope: (id) => rules.find((rule) => rule.id === id),
    tools: (parse(persona) as { tools: string[] }).tools,
  };
}
