import { z } from 'zod';

import type { JsonObject } from '../core/json.ts';
import type { AnyTool } from '../core/tool.ts';
import { done } from './answer.ts';
import { aliasNamesOf } from './registry.ts';
import { advertisedSchema, wholeSchema } from './schema.ts';
import type { ServerTool } from './server-tools.ts';
import type { Services } from './services.ts';

const MOST = 5;

const input = z.strictObject({ query: z.string().max(500) });

/** Search over every tool, the ones that the persona does not list included. `ours`: those of the server that may be unlisted. */
export function findTools(services: Services, ours: readonly ServerTool[]): ServerTool {
  return {
    name: 'find-tools',
    title: 'Find tools',
    description: 'Search all tools by task; gives names, arguments and results for use-tool.',
    effect: 'read',
    input,
    async handle(raw) {
      const { query } = raw as z.output<typeof input>;
      const ranked = rank(query, [...services.registry.values(), ...ours]);
      const found = ranked.slice(0, MOST);
      const tools = found.map((tool): JsonObject => ({
        name: tool.name,
        description: tool.description,
        effect: tool.effect,
        arguments: argumentsFor(tool),
        ...('output' in tool && { result: advertisedSchema(tool.output as z.ZodObject) }),
      }));
      const others = ranked.slice(MOST).map((tool) => tool.name);
      const text = found
        .map((tool) => `${tool.name}: ${tool.description}\n  ${JSON.stringify(argumentsFor(tool))}`)
        .join('\n');
      const call =
        tools.length > 0
          ? 'Call one with use-tool { name, arguments }.'
          : `No tool matches. All tools: ${[...services.registry.keys(), ...ours.map(({ name }) => name)].join(', ')}.`;
      const { waitingUpstreams: waiting = [] } = services;
      const next = waiting.length > 0 ? `${call} Not here yet are the tools of ${waiting.join('; ')}.` : call;
      return done({ tools, ...(others.length > 0 ? { others } : {}) }, text || 'No match.', next);
    },
  };
}

type Found = AnyTool | ServerTool;

function argumentsFor(tool: Found): JsonObject {
  return ('arguments' in tool ? tool.arguments : undefined) ?? wholeSchema(tool.input as z.ZodObject);
}

/** Tools that share words with the query, best first: a word in the name counts most, then keywords, title, description. */
function rank(query: string, tools: Found[]): Found[] {
  const words = query.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  if (words.length === 0) return tools;
  const score = (tool: Found): number =>
    words.reduce((sum, word) => {
      const stem = word.length > 4 ? word.replace(/(?:ing|ed|s|e)$/, '') : word;
      const hit = (text: string) => text.toLowerCase().includes(stem);
      return (
        sum +
        (hit(tool.name) ? 5 : 0) +
        ('output' in tool && aliasNamesOf(tool).some(hit) ? 3 : 0) +
        (tool.keywords?.some(hit) ? 3 : 0) +
        (hit(tool.title) ? 2 : 0) +
        (hit(tool.description) ? 1 : 0)
      );
    }, 0);
  return tools
    .map((tool) => ({ tool, score: score(tool) }))
    .filter((entry) => entry.score > 0)
    .sort((a, b) => b.score - a.score || Number('arguments' in a.tool) - Number('arguments' in b.tool))
    .map((entry) => entry.tool);
}
