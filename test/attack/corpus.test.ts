import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { loadCases, type Attack } from './case.ts';
import { runAttack } from './run.ts';
import { loadMap } from './server-map.ts';

const files = loadCases();
const cases = files.flatMap((file) => file.cases);
const unguarded = loadMap(join(import.meta.dirname, 'maps/unguarded.yaml'));

describe('the corpus', () => {
  test('has at least 250 cases, in every class of threats, each with its source', () => {
    expect(cases.length).toBeGreaterThanOrEqual(250);
    const sources = cases.map(({ source }) => source).join('\n');
    for (const of of ['paths', 'processes', 'approvals', 'protocol', 'web', 'secrets', 'patterns'])
      expect(sources).toContain(`THREATS ${of}`);
    for (const cve of ['CVE-2025-53109', 'CVE-2025-53110', 'CVE-2025-53355', 'CVE-2026-61459', 'CVE-2026-77243'])
      expect(sources).toContain(cve);
  });

  test('every map is one that the runner takes', () => {
    for (const name of ['holdpoint', 'server-filesystem', 'mcp-server-kubernetes', 'kubernetes-mcp-server'])
      expect(loadMap(join(import.meta.dirname, `maps/${name}.yaml`)).name).toBe(name);
  });
});

/** What a case finds at a server without guards: a corpus that finds nothing there finds nothing anywhere. */
describe('what it notices at a server without guards', () => {
  const named = (id: string) => {
    const found = cases.find((each) => each.id === id);
    if (!found) throw new Error(`no case ${id}`);
    return found;
  };
  const own = (id: string, attack: Attack['attack']): Attack => ({
    id,
    source: 'self-check',
    transports: ['stdio'],
    attack,
    twin: { steps: [], fresh: false },
  });

  test.each<[id: string, attack: () => Attack, escapes: string[]]>([
    [
      'a file outside, read and removed',
      () => named('name-parent'),
      ['an answer holds the secret', 'passwd.txt was removed'],
    ],
    ['a denied file', () => named('secret-env'), ['an answer holds the secret', 'was removed']],
    [
      'a link that leads outside',
      () => named('link-file'),
      ['an answer holds the secret', 'workspace-evil/passwd.txt'],
    ],
    ['a link that a write creates through', () => named('link-dangling'), ['workspace-evil/new.conf was made']],
    ['a secret of the cluster', () => named('cluster-secret-production'), ['an answer holds the secret']],
    ['a deletion in the cluster', () => named('cluster-delete-production'), ['the cluster was changed: DELETE']],
    [
      'an address that nobody may call',
      () => own('trap', [{ act: 'fetch', with: { url: '{trap}/' } }]),
      ['the trap was called 1 times'],
    ],
    [
      'a program',
      () => own('program', [{ act: 'run', with: { program: 'kubectl', args: ['get', 'pods'] } }]),
      ['a program ran: RAN kubectl [get] [pods]'],
    ],
    [
      'a shell',
      () => own('shell', [{ act: 'run', with: { program: 'true;', args: ['touch', '{outside}/pwned'] } }]),
      ['workspace-evil/pwned was made'],
    ],
  ])('%s', async (_what, attack, escapes) => {
    const outcome = await runAttack(attack(), unguarded, 'stdio');
    for (const escape of escapes) expect(outcome.escapes.join('\n')).toContain(escape);
  });

  test('a twin that does not work', async () => {
    const never = {
      ...named('name-parent'),
      twin: { reach: ['read'], with: { path: 'docker/none.conf', content: 'level' }, fresh: true },
    };
    expect((await runAttack(never, unguarded, 'stdio')).twin.join('\n')).toContain('read: error instead of done');
  });
});
