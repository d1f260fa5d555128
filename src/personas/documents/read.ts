import { agentsIn, chosenAgent, pairsOf, readJson, valueOf, type AgentEntry } from './agents.ts';
import { namedEnvironments } from './environments.ts';
import { type Checklist, type Cited, type DocumentFacts, type Format, type Note } from './facts.ts';
import { readFiles } from './files.ts';
import { readFrontMatter, type FrontMatter } from './front-matter.ts';
import { keysIn } from './keys.ts';
import { itemOf, readLines, readMarkdown, type Entry } from './markdown.ts';
import { nameOf } from './naming.ts';
import { namedRoles } from './roles.ts';
import { listedTools, namedTools } from './tools.ts';
import { unusable } from './unusable.ts';

/** What was read of a document: its facts, and apart from them what must never leave. */
export interface ReadDocument {
  facts: DocumentFacts;
  entries: Entry[];
  /** Keys that stand in the document. */
  secrets: string[];
}

const NO_FRONT: FrontMatter = { tools: [], restricted: [], servers: [], unused: [] };

/**
 * Understands a persona document in any of the formats.
 *
 * @param file for messages and citations; what follows a `#` names one agent of several
 * @throws HoldpointError `invalid_input` with file and line.
 */
export function readDocumentText(text: string, file: string, wanted?: string): ReadDocument {
  const json = /\.jsonc?$/i.test(file);
  const { frontMatter, entries, lines } = json ? readLines(text, file) : readMarkdown(text, file);
  const front = frontMatter === undefined ? NO_FRONT : readFrontMatter(frontMatter, file);
  const agents = json
    ? agentsIn(text.replace(/^\uFEFF/, ''), 1, file)
    : entries.flatMap((entry) => (isJson(entry) ? agentsIn(entry.text, entry.line, file) : []));
  const agent = json || wanted !== undefined || agents.length === 1 ? chosenAgent(agents, wanted, file) : undefined;
  if (json && agent) entries.push(...agent.specialties.map(({ words, line }) => itemOf(words, line, 'Specialties')));
  const format = formatOf(front, agent);
  const title = titleOf(front, agent, entries);
  const server = serverEntry(entries);
  const named = nameOf({ format, front, agent, server, entries, lines });
  if (named === undefined)
    throw unusable(file, 1, 'it names no persona: give it a heading, or front matter with name and description');
  const files = readFiles(entries, front.restricted, file);
  const silo = entries.find(({ text: words }) => /\bdon['’]?t automate hand-?offs\b/i.test(words));
  const facts: DocumentFacts = {
    format,
    name: named.name,
    title,
    description: descriptionOf(front, agent, entries, title),
    said: saidOf(front, agent, entries),
    ...(front.budget === undefined ? {} : { tokenBudget: front.budget.tokens }),
    servers: front.servers,
    listed: listedTools(front.tools),
    tools: namedTools(entries),
    files: files.files,
    roles: namedRoles(entries),
    refuses: refusals(entries),
    data: deniedData(entries),
    environments: namedEnvironments(lines),
    checklists: checklists(entries),
    skills: entries.flatMap(({ kind, path, spans, line, text: words }) =>
      kind === 'item' && /^skills to use$/i.test(path.at(-1) ?? '') && spans[0]
        ? [{ words: spans[0], line, text: words }]
        : [],
    ),
    grants: files.grants,
    handOffs: silo === undefined,
    ambiguous: [...named.notes, ...files.ambiguous],
    unused: [
      ...front.unused,
      ...(agent?.unused ?? []),
      ...files.unused,
      ...(server === undefined ? [] : [serverNote(server)]),
    ],
  };
  facts.ambiguous.push(...readings(facts, entries));
  if (silo !== undefined)
    facts.ambiguous.push({
      says: 'hand-offs are not to be automated: a refusal names the role and leaves no record',
      lines: [silo.line],
    });
  return { facts, entries, secrets: keysIn(lines) };
}

/** Where the words could mean more than one thing, which was taken. */
function readings({ environments, files }: DocumentFacts, entries: readonly Entry[]): Note[] {
  const kinds = files.filter(({ from }) => from === 'kind');
  const managed = entries.find(
    ({ kind, text }) => kind !== 'code' && /\bmanages? secrets\b|\bsecrets? management\b/i.test(text),
  );
  return [
    ...environments
      .filter(({ list, environment }) => list === 'hosts' && environment === 'production')
      .map(({ value, line }) => ({
        says: `${value} is taken for production's host: staging's lies below it`,
        lines: [line],
      })),
    ...(kinds.length > 0
      ? [
          {
            says: 'it gives kinds of files and no patterns: each kind is where such files lie by convention',
            lines: kinds.map(({ line }) => line),
          },
        ]
      : []),
    ...(managed
      ? [
          {
            says: 'secrets are managed by their names: their values are neither read nor written in files',
            lines: [managed.line],
          },
        ]
      : []),
  ];
}

function isJson({ kind, lang, text }: Entry): boolean {
  return kind === 'code' && (lang === 'json' || (lang === '' && /^\s*[{[]/.test(text)));
}

function formatOf(front: FrontMatter, agent: AgentEntry | undefined): Format {
  if (front.mode ?? front.persona ?? front.budget ?? (front.restricted[0] || front.servers[0])) return 'chat mode';
  if (front.name && front.description) return 'Claude sub-agent';
  return agent ? 'Orchestra agent' : 'plain persona';
}

/** The entry of a client's configuration that starts the persona's own server: which name it has there. */
function serverEntry(entries: readonly Entry[]): Cited | undefined {
  for (const entry of entries.filter(isJson)) {
    const tree = readJson(entry.text);
    const servers = valueOf(tree, 'mcpServers') ?? tree;
    const found = pairsOf(servers).find(({ value }) => valueOf(value, 'command')?.type === 'string');
    if (found !== undefined)
      return { words: found.key, line: entry.line + (entry.text.slice(0, found.offset).match(/\n/g)?.length ?? 0) };
  }
  return undefined;
}

function serverNote({ words, line }: Cited): Note {
  return {
    says: `the MCP server ${JSON.stringify(words.slice(0, 60))} is not started: Holdpoint takes its place in the client; give keys in the environment or the settings`,
    lines: [line],
  };
}

function titleOf(front: FrontMatter, agent: AgentEntry | undefined, entries: readonly Entry[]): string {
  const heading = entries.find(({ kind }) => kind === 'heading')?.text;
  const words = agent?.name.words ?? heading?.replace(/^chat mode:\s*/i, '') ?? front.name?.words ?? 'Persona';
  return words.slice(0, 100);
}

function descriptionOf(
  front: FrontMatter,
  agent: AgentEntry | undefined,
  entries: readonly Entry[],
  title: string,
): string {
  const label = (name: RegExp) =>
    entries
      .find(({ kind, text }) => kind === 'text' && name.test(text))
      ?.text.replace(name, '')
      .trim();
  const words =
    front.description?.words ??
    label(/^(?:expertise|specialty|description):/i) ??
    (agent && agent.specialties.length > 0 ? agent.specialties.map(({ words: each }) => each).join(', ') : undefined) ??
    entries.find(({ kind, text }) => kind === 'text' && text.length > 20)?.text ??
    title;
  const whole = words.length < 10 ? `${title}: ${words}, from a document` : words;
  return whole.length > 500 ? `${whole.slice(0, 499)}…` : whole;
}

function saidOf(front: FrontMatter, agent: AgentEntry | undefined, entries: readonly Entry[]): DocumentFacts['said'] {
  const { name, mode, persona, description, focus, security, budget } = front;
  const keyed = { name, mode, persona, description, focus, 'security level': security, 'token budget': budget };
  return [
    ...Object.entries(keyed).flatMap(([what, cited]) =>
      cited ? [{ what, words: cited.words, line: cited.line }] : [],
    ),
    ...(agent ? [{ what: 'agent', ...agent.name }] : []),
    ...(agent?.type ? [{ what: 'type', ...agent.type }] : []),
    ...(agent?.specialties ?? []).map((each) => ({ what: 'specialty', ...each })),
    ...entries.flatMap(({ kind, text, line, path }) => {
      const [, what = '', words = ''] =
        (kind === 'text' && path.length <= 2 && /^(Role|Expertise|Focus|Specialty): (.+)$/.exec(text)) || [];
      return words === '' ? [] : [{ what: what.toLowerCase(), words, line }];
    }),
  ];
}

/** What stands under a heading such as `What I DON'T DO`, and items that begin with `No …` under restrictions. */
function refusals(entries: readonly Entry[]): Cited[] {
  return entries.flatMap(({ kind, path, text, line }) => {
    const over = path.at(-1) ?? '';
    const refused =
      /\bdon['’]?t do\b|\bcannot do\b|\bmust not\b|\banti-?patterns?\b/i.test(over) ||
      (/\brestricted\b/i.test(over) && /^no\b/i.test(text));
    return refused && (kind === 'item' || kind === 'text') && !text.endsWith(':') ? [{ words: text, line }] : [];
  });
}

function deniedData(entries: readonly Entry[]): Cited[] {
  return entries.flatMap(({ kind, path, cells, line }) =>
    kind === 'row' && path.some((heading) => /\bdenied\b.*\bdata\b|\bdata\b.*\bdenied\b/i.test(heading))
      ? [{ words: cells[0] ?? '', line }]
      : [],
  );
}

function checklists(entries: readonly Entry[]): Checklist[] {
  const found = new Map<string, Checklist>();
  for (const { box, path, text, line } of entries) {
    if (!box) continue;
    const words = path.slice(1).join(': ') || (path[0] ?? 'Checklist');
    const list = found.get(words) ?? { words, line, items: [] };
    list.items.push({ words: text, line });
    found.set(words, list);
  }
  return [...found.values()];
}
