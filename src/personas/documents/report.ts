import { linesText, type DocumentFacts, type FileFact, type Note } from './facts.ts';
import type { GeneratedPolicy } from './policy.ts';

/** What an import made of a document, each point with the lines that it stands on. */
export interface ImportReport {
  file: string;
  /** SHA-256 of the document's bytes. */
  sha256: string;
  format: string;
  name: string;
  understood: Note[];
  /** Which reading was taken. */
  ambiguous: Note[];
  unused: Note[];
}

export function reportOf(
  facts: DocumentFacts,
  policy: Pick<GeneratedPolicy, 'ambiguous' | 'unused'>,
  { file, sha256 }: Pick<ImportReport, 'file' | 'sha256'>,
  keys: number,
): ImportReport {
  const inOrder = (notes: readonly Note[]) => merged(notes).sort((a, b) => (a.lines[0] ?? 0) - (b.lines[0] ?? 0));
  const masked: Note[] =
    keys === 0
      ? []
      : [
          {
            says: `${keys} ${keys === 1 ? 'key stands' : 'keys stand'} in the document: masked wherever it appears, and in nothing made from it`,
            lines: [],
          },
        ];
  return {
    file,
    sha256,
    format: facts.format,
    name: facts.name,
    understood: inOrder(understood(facts)),
    ambiguous: [...inOrder([...facts.ambiguous, ...policy.ambiguous]), ...masked],
    unused: inOrder([...facts.unused, ...policy.unused]),
  };
}

const ACCESS: Readonly<Record<FileFact['access'], string>> = {
  write: 'may be written',
  read: 'may be read',
  deny: 'is closed',
};

function understood(facts: DocumentFacts): Note[] {
  const note = (says: string, ...lines: number[]): Note => ({ says: says.replace(/\s+/g, ' ').slice(0, 300), lines });
  return [
    ...facts.said.map(({ what, words, line }) => note(`${what}: ${words}`, line)),
    ...facts.servers.map(({ words, line }) => note(`MCP server allowed: ${words}`, line)),
    ...facts.tools.map(({ tool, verdict, condition, line }) =>
      note(
        `tool ${tool}: ${{ allow: 'allowed', hold: 'held', deny: 'denied' }[verdict]}${condition && ` (${condition})`}`,
        line,
      ),
    ),
    ...facts.files.map(({ pattern, access, from, line }) => note(`${pattern} ${ACCESS[access]} (${from})`, line)),
    ...facts.roles.map(({ role, way, about, line }) =>
      note(`${way === 'delegate' ? 'delegate to' : 'consult'} ${role}: ${about}`, line),
    ),
    ...facts.refuses.map(({ words, line }) => note(`does not: ${words}`, line)),
    ...facts.data.map(({ words, line }) => note(`data denied: ${words}`, line)),
    ...facts.environments.map(({ list, value, environment, line }) =>
      note(`${list.slice(0, -1)} ${value} is ${environment}`, line),
    ),
    ...facts.checklists.map(({ words, items, line }) => note(`checklist ${words}: ${items.length} items`, line)),
    ...facts.skills.map(({ words, line }) => note(`skill: ${words}`, line)),
  ];
}

/** Notes that say the same, once, with all their lines. */
function merged(notes: readonly Note[]): Note[] {
  const by = Map.groupBy(notes, ({ says }) => says);
  return [...by].map(([says, same]) => ({ says, lines: [...new Set(same.flatMap(({ lines }) => lines))] }));
}

/** The report as Markdown. */
export function reportText({ file, sha256, format, name, understood, ambiguous, unused }: ImportReport): string {
  const part = (title: string, notes: readonly Note[]) => [
    `## ${title} (${notes.length})`,
    '',
    ...(notes.length === 0 ? ['Nothing.'] : notes.map(lineOf)),
    '',
  ];
  return [
    `# ${name}, from ${file}`,
    '',
    `Read as: ${format}. SHA-256 of the document: ${sha256}.`,
    '',
    ...part('Understood', understood),
    ...part('Ambiguous, and the reading taken', ambiguous),
    ...part('Without effect', unused),
  ].join('\n');
}

function lineOf({ says, lines }: Note): string {
  return `- ${says}${lines.length === 0 ? '' : ` (${linesText(lines)})`}`;
}

/** The report in one line. */
export function reportSummary({ file, name, understood, ambiguous, unused }: ImportReport): string {
  return `${name} from ${file}: ${understood.length} points understood, ${ambiguous.length} ambiguous, ${unused.length} without effect`;
}
