/** Where in the document it stands, and its words there. */
export interface Cited {
  /** Counted from 1. */
  line: number;
  words: string;
}

export type Format = 'chat mode' | 'Claude sub-agent' | 'Orchestra agent' | 'plain persona';

export type Access = 'write' | 'read' | 'deny';

/** What the document says of files. */
export interface FileFact extends Cited {
  /** In the policy's patterns, from the workspace. */
  pattern: string;
  access: Access;
  /** `glob`: a list of patterns; `tree` and `folder`: whole folders; `path`: a file that the text names; `kind`: a kind of file. */
  from: 'restricted path' | 'glob' | 'tree' | 'folder' | 'path' | 'kind';
}

export interface ToolFact extends Cited {
  /** As the document names it. */
  tool: string;
  verdict: 'allow' | 'hold' | 'deny';
  /** What the verdict is limited to: `production`, `application code`, `Infrastructure files only`. */
  condition: string;
}

export interface RoleFact extends Cited {
  /** In lower case with dashes: `backend-dev`. */
  role: string;
  way: 'delegate' | 'consult';
  /** What for, in the document's words. */
  about: string;
}

export interface EnvironmentFact extends Cited {
  list: 'namespaces' | 'hosts';
  value: string;
  environment: 'production' | 'staging' | 'development';
}

export interface Checklist extends Cited {
  items: Cited[];
}

/** Something that could be read in several ways, or that has no effect here; with the lines it stands on. */
export interface Note {
  says: string;
  lines: number[];
}

/** Everything that is understood of a document. */
export interface DocumentFacts {
  format: Format;
  /** As the persona is called here. */
  name: string;
  title: string;
  description: string;
  /** The lines of name, title and description, and what else is said of the role in a word. */
  said: (Cited & { what: string })[];
  tokenBudget?: number;
  /** Tools that front matter gives: these alone. */
  listed: ToolFact[];
  /** Names of the MCP servers it may use. */
  servers: Cited[];
  tools: ToolFact[];
  files: FileFact[];
  roles: RoleFact[];
  /** What the role does not do. */
  refuses: Cited[];
  /** Data that is denied. */
  data: Cited[];
  environments: EnvironmentFact[];
  checklists: Checklist[];
  skills: Cited[];
  /** Whether application code or tests are the role's own. */
  grants: ReadonlySet<'code' | 'tests'>;
  /** Whether hand-offs are recorded. */
  handOffs: boolean;
  ambiguous: Note[];
  unused: Note[];
}

/** A role's or persona's name in lower case with dashes. */
export function slug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
}

/** `3, 5–7 and 12` of line numbers. */
export function linesText(lines: readonly number[]): string {
  const sorted = [...new Set(lines)].sort((a, b) => a - b);
  const runs: string[] = [];
  for (let from = 0, to = 0; from < sorted.length; from = to + 1) {
    to = from;
    while (sorted[to + 1] === (sorted[to] ?? 0) + 1) to++;
    runs.push(to === from ? `${sorted[from]}` : `${sorted[from]}–${sorted[to]}`);
  }
  return `${sorted.length === 1 ? 'line' : 'lines'} ${runs.length > 1 ? `${runs.slice(0, -1).join(', ')} and ${runs.at(-1)}` : runs.join('')}`;
}
