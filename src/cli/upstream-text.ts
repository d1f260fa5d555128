import type { Difference } from '../adapters/upstream/compare.ts';
import type { UpstreamTool } from '../adapters/upstream/definition.ts';
import type { Session } from '../adapters/upstream/session.ts';
import type { UpstreamServer } from '../adapters/upstream/servers.ts';
import type { Effect } from '../core/effect.ts';
import { block, plainLine, quoted } from '../core/foreign.ts';
import type { KnownServer } from '../server/upstreams.ts';
import { screenOf } from './layout.ts';

/** Lines of one text of a server that are shown. */
const LINES = 60;

/** A server in `list`. */
export function knownText({ server, accepted, tools, left }: KnownServer, state: string): string {
  const why = server.problem === undefined ? '' : `: ${plainLine(server.problem)}`;
  const when = accepted ? ` by ${plainLine(accepted.acceptedBy)} on ${accepted.acceptedAt.slice(0, 10)}` : '';
  const fix = state === 'not accepted' ? `\n    → holdpoint upstream accept ${server.key}` : '';
  const names = tools.length > 0 ? [`    ${tools.map(({ name, effect }) => `${name} (${effect})`).join(', ')}`] : [];
  const not = left.map(({ tool, problem }) => `    not taken: ${quoted(tool, 80)} ${problem}`);
  return [
    `${plainLine(server.key).padEnd(20)}  ${state}${when}${why}${fix}`,
    `    ${server.says}`,
    ...names,
    ...not,
  ].join('\n');
}

/** What a person looks at before accepting: every tool, word for word as an agent would see it. */
export function acceptText({
  server,
  says,
  tools,
  left,
  hints,
}: {
  server: UpstreamServer;
  says: Session['says'];
  tools: readonly UpstreamTool[];
  left: readonly { tool: string; problem: string }[];
  hints: ReadonlyMap<string, Effect>;
}): string[] {
  const lines = [
    `${server.key}: ${server.says}`,
    `It calls itself ${quoted(says.name, 80)} ${quoted(says.version, 40)}. What stands behind │ is what the server says.`,
  ];
  for (const { name, tool, effect, title, description, arguments: schema } of tools) {
    const hint = hints.get(tool);
    lines.push('', `${name}  ${effect}${hint === effect ? '' : ` (the server hints ${hint})`}`);
    lines.push(...shown(title), ...shown(description), ...shown(JSON.stringify(schema, null, 1)));
  }
  for (const { tool, problem } of left) lines.push('', `not taken: ${quoted(tool, 80)} ${problem}`);
  return lines;
}

/** What changed, each part as it was and as it is. */
export function differencesText(found: readonly Difference[]): string[] {
  return found.flatMap(({ tool, sort, parts }) => [
    `${sort}: ${quoted(tool, 100)}`,
    ...parts.flatMap(({ part, was, is }) => [`  ${part}, then:`, ...shown(was), `  ${part}, now:`, ...shown(is)]),
  ]);
}

function shown(text: string): string[] {
  return block(text, { columns: screenOf(process.stdout).columns, lines: LINES, mark: '    │ ' });
}
