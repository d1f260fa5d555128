import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';

import { exportAudit } from '../../../src/audit/export.ts';
import type { AuditRecord } from '../../../src/audit/chain.ts';
import type { Problem } from '../../../src/audit/verify.ts';
import { main } from '../../../src/cli/main.ts';
import { AGENT, holdOf, world, type World } from '../approvals/kit.ts';

interface Line {
  text: string;
  record?: AuditRecord;
}

let here: World;
let lines: Line[];
beforeAll(async () => {
  here = world();
  const servers = [await here.server(), await here.server()] as const;
  for (const [index, server] of servers.entries()) {
    const { approvals } = server;
    const request = await approvals.request(holdOf(`file ${index}`, { terms: { approvals: 2 } }));
    for (const approver of ['alice', 'bob']) {
      here.pass(1000);
      await server.decide(request, approver);
    }
    const claim = await approvals.claim(request.id, AGENT, 'owner');
    await approvals.acting(claim, { kind: 'opened', data: {} });
    await approvals.settle(claim, { state: 'done', outcome: {} });
  }
  lines = [];
  for await (const text of exportAudit(servers[0].store)) {
    const { record } = JSON.parse(text) as { record?: AuditRecord };
    lines.push({ text, ...(record && { record }) });
  }
});
afterAll(() => here.end());
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

/** What the command says of a file of these lines: its problems, and that it failed. */
async function verified(texts: readonly string[], offline: boolean): Promise<Problem[]> {
  const file = join(here.root, 'export.jsonl');
  writeFileSync(file, texts.map((text) => `${text}\n`).join(''));
  const said = vi.spyOn(console, 'log').mockReturnValue();
  const places = ['--state', join(here.root, 'state'), '--keys', here.keys, '--json'];
  await main(['node', 'holdpoint', 'audit', 'verify', ...(offline ? ['--offline', file] : [file]), ...places]);
  const result = JSON.parse(String(said.mock.lastCall?.[0])) as {
    ok: boolean;
    log?: { problems: Problem[] };
    problems: Problem[];
  };
  expect(process.exitCode ?? 0).toBe(result.ok ? 0 : 1);
  process.exitCode = 0;
  return [...(result.log?.problems ?? []), ...result.problems];
}

const texts = () => lines.map(({ text }) => text);
const at = ({ record }: Line) => `${record?.writer} ${record?.seq}`;
const named = (problems: readonly Problem[]) => problems.map(({ writer, seq }) => `${writer} ${seq}`);
/** The next record of the same writer: one that does not follow from the record before it is found there. */
const after = (index: number) =>
  lines.findIndex(({ record }, other) => other > index && record?.writer === lines[index]?.record?.writer);

test.each([false, true])('I8 a whole export verifies, with exit code 0 (offline: %s)', async (offline) => {
  expect(await verified(texts(), offline)).toEqual([]);
});

test.each([false, true])(
  'I8 one changed byte of any record: found at the record or its line (offline: %s)',
  async (offline) => {
    let changed = 0;
    for (const [index, line] of lines.entries()) {
      if (!line.record) continue;
      for (let byte = index % 29; byte < line.text.length; byte += 29) {
        const other = String.fromCharCode(line.text.charCodeAt(byte) ^ 1);
        const found = await verified(
          texts().with(index, line.text.slice(0, byte) + other + line.text.slice(byte + 1)),
          offline,
        );
        const places = [at(line), `line ${index + 1} ${index + 1}`];
        expect(
          named(found).some((place) => places.includes(place)),
          `byte ${byte} of line ${index + 1}: ${JSON.stringify(found)}`,
        ).toBe(true);
        changed += 1;
      }
    }
    expect(changed).toBeGreaterThan(100);
  },
);

test('I8 any two neighbours in each other’s place: found at one of the two', async () => {
  for (const [index, line] of lines.entries()) {
    const next = after(index);
    if (!line.record || next < 0) continue;
    const found = named(await verified(texts().with(index, lines[next]!.text).with(next, line.text), false));
    expect(
      found.some((place) => [at(line), at(lines[next]!)].includes(place)),
      found.join(),
    ).toBe(true);
  }
});

test('I8 the tail cut off after any record: found at the record that is missing, or by the heads that are', async () => {
  for (const [index, line] of lines.entries()) {
    if (!line.record) continue;
    const headless = await verified(texts().slice(0, index), false);
    expect(headless).toContainEqual(expect.objectContaining({ problem: 'cut' }));
    const last = texts().slice(-1);
    const found = await verified([...texts().slice(0, index), ...last], false);
    expect(found).toContainEqual(
      expect.objectContaining({ problem: 'cut', writer: line.record.writer, seq: line.record.seq }),
    );
  }
});

test('I6 I8 any signature in the place of any other: found at the decision', async () => {
  const decisions = lines.flatMap((line, index) => (line.record?.kind === 'approval.decided' ? [{ line, index }] : []));
  expect(decisions).toHaveLength(4);
  const signatureOf = ({ record }: Line) => record?.data['signature'] as string;
  for (const { line, index } of decisions)
    for (const other of decisions) {
      if (other.index === index) continue;
      const text = line.text.replace(signatureOf(line), signatureOf(other.line));
      for (const offline of [false, true])
        expect(named(await verified(texts().with(index, text), offline))).toContain(at(line));
    }
});
