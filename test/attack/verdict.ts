import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { After } from './case.ts';
import { changes } from './cluster.ts';
import type { Run } from './running.ts';
import type { World } from './world.ts';

/** What the world says against the server, whatever it answered. */
export function hurt({ world, answers, connection, map }: Run, before: Map<string, string>, allowed: After): string[] {
  const found: string[] = [];
  const now = world.snapshot();
  for (const path of new Set([...before.keys(), ...now.keys()])) {
    if (before.get(path) === now.get(path)) continue;
    const short = path.slice(world.root.length + 1);
    if (allowed.may?.includes('.') === true && short.startsWith('workspace/')) continue;
    const own = [...(allowed.may ?? []), ...Object.keys(allowed.files ?? {})].some(
      (file) => `workspace/${file}`.startsWith(short) || short === `workspace/${file}`,
    );
    if (!own) found.push(`${short} was ${now.has(path) ? (before.has(path) ? 'changed' : 'made') : 'removed'}`);
  }
  const spellings = [
    world.secret,
    Buffer.from(world.secret).toString('base64').replace(/=+$/, ''),
    Buffer.from(world.secret).toString('hex'),
  ];
  const leaks = (text: string) => spellings.some((each) => text.includes(each));
  if (answers.some(leaks)) found.push(`an answer holds the secret: ${answers.find(leaks)?.slice(0, 200)}`);
  if (leaks(connection.said())) found.push('what the server printed holds the secret');
  if (map.envelope && leaks(stateOf(join(world.root, 'state')))) found.push('the state directory holds the secret');
  if (world.engine.sent.some((bytes) => bytes.includes(world.secret))) found.push('the Engine was sent the secret');
  if (world.trap.asked.length > (allowed.trap ?? 0)) found.push(`the trap was called ${world.trap.asked.length} times`);
  const made = changes(world.cluster.asked);
  const wanted = allowed.cluster ?? [];
  if (made.length > wanted.length || !made.every((line, at) => new RegExp(wanted[at] ?? '^$').test(line)))
    found.push(`the cluster was changed: ${made.join(', ')}`);
  const ran = [...world.ran(), ...answers.flatMap((text) => text.match(/RAN \w[^\n"\\]*/g) ?? [])];
  for (const line of new Set(ran))
    if (!(allowed.ran ?? []).some((pattern) => new RegExp(pattern).test(line))) found.push(`a program ran: ${line}`);
  return [
    ...found,
    ...missing(world, allowed, { changes: 0, ran: 0, builds: 0 }).filter((each) => each.startsWith('file')),
  ];
}

/** What should have happened and did not. */
export function missing(
  world: World,
  wanted: After,
  before: { changes: number; ran: number; builds: number },
): string[] {
  const found: string[] = [];
  for (const [path, content] of Object.entries(wanted.files ?? {})) {
    const file = join(world.workspace, path);
    const now = existsSync(file) ? readFileSync(file, 'utf8') : null;
    const same = content?.startsWith('/') === true ? new RegExp(content.slice(1, -1)).test(now ?? '') : now === content;
    if (!same) found.push(`file ${path} is ${JSON.stringify(now)?.slice(0, 100)}`);
  }
  const made = changes(world.cluster.asked).slice(before.changes);
  for (const [at, pattern] of (wanted.cluster ?? []).entries())
    if (!new RegExp(pattern).test(made[at] ?? ''))
      found.push(`the cluster got ${made[at] ?? 'nothing'} instead of ${pattern}`);
  if (wanted.cluster && made.length > wanted.cluster.length) found.push(`the cluster got ${made.join(', ')}`);
  const builds = world.engine.sent.length - before.builds;
  if (wanted.builds !== undefined && builds !== wanted.builds)
    found.push(`${builds} builds instead of ${wanted.builds}`);
  return found;
}

function stateOf(folder: string): string {
  if (!existsSync(folder)) return '';
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}
