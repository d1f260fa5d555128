/**
 * `pnpm bench records`: what approvals and the audit log cost, and what they cost once there are many. Minutes, most of them
 * to write a million records. Figures of one run, as ratios; nothing is asserted.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';

import { createApprovals } from '../src/approvals/approvals.ts';
import { openApprovers } from '../src/approvals/approvers.ts';
import { openSealKey } from '../src/approvals/seal.ts';
import { createAuditLog } from '../src/audit/log.ts';
import { storeSource, tailAudit } from '../src/audit/read.ts';
import { verifyAudit } from '../src/audit/verify.ts';
import { openStore } from '../src/store/sqlite.ts';
import { AGENT, holdOf } from '../test/unit/approvals/kit.ts';
import { alternate, line, median, timed } from './measure.ts';

const WRITERS = 20;
const HOUR = 3_600_000;
const PREVIEW = `- image: old\n+ image: new\n${'  a line that stays as it is\n'.repeat(40)}`;
const main = resolve(import.meta.dirname, '../src/main.ts');
const root = mkdtempSync(join(tmpdir(), 'holdpoint-bench-'));

type Records = Awaited<ReturnType<typeof records>>;

/** A state directory with its approvals and log, and one approver. */
async function records(name: string) {
  const [state, keys] = [join(root, name), join(root, `${name}-keys`)];
  const store = await openStore(state);
  const audit = createAuditLog({ store });
  const approvers = openApprovers(keys);
  approvers.add({ name: 'alice', person: 'ann', at: Date.now() });
  const limits = { lease: HOUR, refuseAfterDenial: 0, pendingPerPrincipal: 1e9, requestsPerMinute: 1e9 };
  const approvals = createApprovals({ store, audit, approvers, sealKey: openSealKey(keys), limits });
  let made = 0;
  return {
    state,
    keys,
    store,
    audit,
    approvals,
    ask() {
      const hold = holdOf(`file-${++made}`, { terms: { approveWithin: 24 * HOUR, runWithin: 24 * HOUR } });
      return approvals.request({ ...hold, shown: { ...hold.shown, preview: { summary: 'Change it', text: PREVIEW } } });
    },
    async approve({ id, digest }: { id: string; digest: string }) {
      const at = await approvals.now();
      const signed = approvers.sign({ id, digest, decision: 'approve', approver: 'alice', at, reason: '' });
      return approvals.decide(signed);
    },
    async close() {
      await audit.close();
      await store.close();
    },
  };
}

/** Records like those of calls, by several processes in turn. */
async function writeRecords({ store }: Records, count: number): Promise<void> {
  for (let writer = 0; writer < WRITERS; writer += 1) {
    const log = createAuditLog({ store });
    for (let index = 0; index < count / WRITERS; index += 1) {
      const callId = `call-${writer}-${Math.floor(index / 3)}`;
      const kind = (['received', 'opened', 'closed'] as const)[index % 3] ?? 'closed';
      log.append({
        kind,
        callId,
        data: { tool: 'view', path: `docs/page-${index}.md`, verdict: 'allow', effect: 'read' },
      });
      if (index % 5000 === 4999) await log.flush();
    }
    await log.close();
  }
}

const ms = (time: number) => `${time.toFixed(time < 10 ? 2 : 0)} ms`;
const of = (one: number, other: number) => `${(one / other).toFixed(1)} × (${ms(other)} → ${ms(one)})`;
const perSecond = (count: number, time: number) => `${Math.round((count * 1000) / time).toLocaleString('en')}/s`;
const title = (text: string) => console.log(`\n${text}`);

const few = await records('few');
const bare = await openStore(join(root, 'bare'));

title('One of each, of a bare transaction that writes one row (synchronous=FULL)');
const times = { request: [] as number[], decision: [] as number[], run: [] as number[] };
async function taking<T>(what: keyof typeof times, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const value = await work();
  times[what].push(performance.now() - began);
  return value;
}
let count = 0;
const { transaction } = await alternate(200, {
  transaction: () =>
    bare.transaction((session) =>
      session.query(
        `INSERT INTO facts (name, value) VALUES ('bench', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
        [String(++count)],
      ),
    ),
  life: async () => {
    const request = await taking('request', () => few.ask());
    await taking('decision', () => few.approve(request));
    await taking('run', async () => {
      const claim = await few.approvals.claim(request.id, AGENT, 'bench');
      await few.approvals.acting(claim, { kind: 'opened', data: {} });
      await few.approvals.settle(claim, { state: 'done', outcome: {} });
    });
  },
});
line('a bare transaction', `${ms(transaction)}, ${perSecond(1, transaction)}`);
const NAMES = { request: 'a request', decision: 'a decision, signed', run: 'a run (claim, acting, settle)' } as const;
for (const what of ['request', 'decision', 'run'] as const) {
  const time = median(times[what]);
  line(NAMES[what], `${of(time, transaction)}, ${perSecond(1, time)}`);
}

const many = await records('many');
const [first, found] = [await few.ask(), await many.ask()];
await writeRecords(few, 1000);
const wrote = await timed(() => writeRecords(many, 1_000_000));
title(`With 1,000,000 audit records, of 1,000 (written ${perSecond(1_000_000, wrote)}, ${bytes(many)} each)`);
const reading = await alternate(15, {
  'few, tail': () => tailAudit(few.store, 50),
  'many, tail': () => tailAudit(many.store, 50),
  'few, call': () => tailAudit(few.store, 50, { about: 'call-3-7' }),
  'many, call': () => tailAudit(many.store, 50, { about: 'call-3-7' }),
  'few, about': () => tailAudit(few.store, 50, { about: first.id }),
  'many, about': () => tailAudit(many.store, 50, { about: found.id }),
  'few, ask': () => few.ask(),
  'many, ask': () => many.ask(),
});
line('the last 50 records', of(reading['many, tail'], reading['few, tail']));
line('the records of one call', of(reading['many, call'], reading['few, call']));
line('the records of one request', of(reading['many, about'], reading['few, about']));
line('a request', of(reading['many, ask'], reading['few, ask']));
const verifying = await timed(async () => verifyAudit(await storeSource(many.store)));
line('verifying all', `${ms(verifying)}, ${perSecond(1_000_000, verifying)}`);
await many.audit.flush();
line('peak memory of `audit verify`, of `audit tail`', `${peak(many, 'verify')} MiB, ${peak(many, 'tail')} MiB`);

title('With 10,000 requests, of 100');
for (let index = 0; index < 10_000; index += 1) {
  const request = await many.ask();
  if (index % 10 !== 0) await many.approvals.cancel(request.id, AGENT);
}
const lists = await alternate(15, {
  'few, pending': () => few.approvals.list({ states: ['pending'], limit: 10 }),
  'many, pending': () => many.approvals.list({ states: ['pending'], limit: 10 }),
  'few, all': () => few.approvals.list({ limit: 10 }),
  'many, all': () => many.approvals.list({ limit: 10 }),
  'few, named': () => few.approvals.named(first.id.slice(0, 14)),
  'many, named': () => many.approvals.named(found.id.slice(0, 14)),
  'few, counts': () => few.approvals.counts(),
  'many, counts': () => many.approvals.counts(),
  'few, ask': () => few.ask(),
  'many, ask': () => many.ask(),
});
line('the newest ten that are pending (1,000 are)', of(lists['many, pending'], lists['few, pending']));
line('the newest ten of all', of(lists['many, all'], lists['few, all']));
line('one by the beginning of its id', of(lists['many, named'], lists['few, named']));
line('how many are in each state', of(lists['many, counts'], lists['few, counts']));
line('a request', of(lists['many, ask'], lists['few, ask']));

for (const each of [few, many]) await each.close();
await bare.close();
rmSync(root, { recursive: true, force: true });

/** Bytes on disk for each record. */
function bytes({ state }: Records): string {
  return `${Math.round(statSync(join(state, 'holdpoint.db')).size / 1_000_000)} bytes`;
}

/** Peak memory of the command in MiB. */
function peak({ state, keys }: Records, command: string): string {
  const report = `process.on('exit', () => process.stderr.write('peak ' + process.resourceUsage().maxRSS))`;
  const { stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${report}`, main, 'audit', command, '--state', state, '--keys', keys],
    { encoding: 'utf8' },
  );
  return (Number(/peak (\d+)/.exec(stderr)?.[1]) / 1024).toFixed(0);
}
