import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Envelope } from '../../src/core/envelope.ts';
import { newPlace, overStdio, ROOT, serverArgs, type Agent, type Place } from '../harness.ts';
import { callsOf, SEEDS, type SeedCall, type SeedName } from '../seeds/seed.ts';

const SERVER = join(ROOT, 'test/seeds/server.ts');
const NAMES = Object.keys(SEEDS) as SeedName[];
const LEAST: Readonly<Record<SeedName, number>> = { S0: 40, S1: 40, S2: 20, S3: 20, S4: 20 };
const KEY = 'battra-devops-key-1';

const documentOf = (name: SeedName) => join(ROOT, 'test/seeds/documents', SEEDS[name].document);

/** What a call was answered, as the policy's word for it; an answer that is no decision is given as it is. */
function verdictOf({ status, result, error }: Envelope): string {
  if (status === 'planned') return String((result?.['decision'] as { verdict?: string } | undefined)?.verdict);
  if (status === 'done') return 'allow';
  if (status === 'denied') return 'deny';
  return status === 'approval_required'
    ? status.replace('approval_required', 'require_approval')
    : `${status}: ${error?.reason}`;
}

/** What a shipped persona answers otherwise than the importer reads the document, and why. By tool and path. */
const OTHERWISE: Readonly<Partial<Record<SeedName, Readonly<Record<string, Partial<SeedCall> & { why: string }>>>>> = {
  S3: {
    'view Secrets.toml': { handOff: 'nobody', why: 'S3 names no role for secrets' },
    'save-file Secrets.toml': { handOff: 'nobody', why: 'S3 names no role for secrets' },
    'view .env': { handOff: 'nobody', why: 'S3 names no role for secrets' },
  },
  S4: {
    'save-file docs/workflow/state.json': { expect: 'deny', why: 'the tool workflow alone writes it, which checks it' },
  },
};

const SERVED = NAMES.flatMap((name) => [[name, 'document' as const] as const, [name, 'shipped' as const] as const]);

describe.each(SERVED)(
  'the table of %s, from its %s persona, behind a real client over stdio (B1, B8; systems are fakes)',
  (name, from) => {
    const seed = SEEDS[name];
    const persona = from === 'document' ? documentOf(name) : seed.persona;
    const lines = readFileSync(documentOf(name), 'utf8').split('\n');
    let place: Place;
    let agent: Agent;
    const answers: string[] = [];

    beforeAll(async () => {
      place = newPlace();
      for (const [path, text] of Object.entries(seed.files)) {
        const file = join(place.workspace, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
      agent = await overStdio('2.x', place, serverArgs(place, ['--stdio', '--persona', persona], SERVER));
    });
    afterAll(async () => {
      await agent?.close();
      place?.remove();
    });

    test('the table cites lines that have its words, and decides both ways often enough', () => {
      const calls = callsOf(name);
      expect(calls.filter(({ line, words }) => !(lines[line - 1] ?? '').includes(words))).toEqual([]);
      expect(calls.length).toBeGreaterThanOrEqual(LEAST[name]);
      expect(new Set(calls.map(({ call }) => JSON.stringify(call))).size).toBe(calls.length);
      for (const verdict of ['allow', 'deny', 'require_approval'])
        expect(calls.filter(({ expect: wanted }) => wanted === verdict).length).toBeGreaterThanOrEqual(4);
    });

    test.each(
      seed.calls.map(
        (row) => [`${row.expect} ${row.call.tool} ${JSON.stringify(row.call.input)}`.slice(0, 140), row] as const,
      ),
    )('%s (B3, B4)', async (_label, row) => {
      const otherwise =
        from === 'shipped' ? OTHERWISE[name]?.[`${row.call.tool} ${String(row.call.input['path'])}`] : undefined;
      const { call, expect: wanted, line, handOff } = { ...row, ...otherwise };
      const { envelope, text } = await agent.call(call.tool, call.input);
      answers.push(text, JSON.stringify(envelope));
      expect(verdictOf(envelope), `line ${line}: ${lines[line - 1]}\n${text}`).toBe(wanted);
      if (handOff === 'nobody') expect(envelope.error?.handOff).toBeUndefined();
      else if (handOff !== undefined) {
        expect(envelope.error?.handOff).toBe(handOff);
        expect(text).toMatch(new RegExp(`(?:Hand it to|Consult): ${handOff}`));
      }
    });

    test('the instructions carry the role, and no key is in them, in any answer or in what was imported (B1, B7)', async () => {
      const told = agent.instructions() ?? '';
      for (const words of from === 'document' ? seed.role : ['DevOps', 'approval_required'])
        expect(told).toContain(words);
      expect(answers.length).toBeGreaterThanOrEqual(seed.calls.length * 2);
      expect(answers.filter((text) => text.includes(KEY))).toEqual([]);
      expect(told).not.toContain(KEY);
    });
  },
);
