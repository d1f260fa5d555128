import type { AgentEntry } from './agents.ts';
import type { Cited, Format, Note } from './facts.ts';
import { slug } from './facts.ts';
import type { FrontMatter } from './front-matter.ts';
import type { Entry } from './markdown.ts';

interface Named {
  name: string;
  notes: Note[];
}

/**
 * What a persona from a document is called: by the name that the document gives; else as the server's entry in it; an agent
 * of Orchestra's with that word before its role. `devops` is the shipped default's name, so another one gets a word of its own.
 */
export function nameOf(from: {
  format: Format;
  front: FrontMatter;
  agent: AgentEntry | undefined;
  server: Cited | undefined;
  entries: readonly Entry[];
  lines: readonly string[];
}): Named | undefined {
  const { front, agent, server, entries, lines } = from;
  const given = front.persona ?? front.name ?? front.mode;
  if (given !== undefined) return apart(usable(slug(given.words)), given, lines);
  if (agent !== undefined) {
    const role = usable(slug(agent.name.words)).replace(/-(?:engineer|agent)$/, '');
    return {
      name: `orchestra-${role}`.slice(0, 63),
      notes: [
        {
          says: `the agent "${agent.name.words.slice(0, 60)}" is called orchestra-${role} here`,
          lines: [agent.name.line],
        },
      ],
    };
  }
  if (server !== undefined) {
    const name = usable(slug(server.words));
    return {
      name,
      notes: [{ says: `it gives itself no name; its server's entry is called ${name}`, lines: [server.line] }],
    };
  }
  const heading = entries.find(({ kind }) => kind === 'heading');
  if (heading === undefined) return undefined;
  const name = usable(slug(heading.text).replace(/-(?:agent-)?persona$/, ''));
  const named = apart(name, { words: heading.text, line: heading.line }, lines);
  return {
    name: named.name,
    notes: [{ says: `it gives itself no name; by its heading it is ${named.name}`, lines: [heading.line] }],
  };
}

function apart(name: string, given: Cited, lines: readonly string[]): Named {
  if (name !== 'devops') return { name, notes: [] };
  const own = lines.some((line) => line.length < 2000 && /\(PDLC\)|\bPDLC\b/.test(line))
    ? 'pdlc-devops'
    : 'team-devops';
  return {
    name: own,
    notes: [{ says: `devops is the shipped default persona's name; this one is called ${own}`, lines: [given.line] }],
  };
}

function usable(name: string): string {
  const letters = name.replace(/^[^a-z]+/, '');
  return letters.length >= 2 ? letters : 'persona';
}
