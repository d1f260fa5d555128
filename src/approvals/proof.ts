import { exportedEntries } from '../audit/export.ts';
import { approvalOf, type AuditRecord } from '../audit/chain.ts';
import { sha256 } from '../audit/canonical.ts';
import type { Problem } from '../audit/verify.ts';
import type { JsonObject } from '../core/json.ts';
import { publicApprover, type PublicApprover } from './approver-file.ts';
import type { Approver } from './approvers.ts';
import { signedDecision } from './decision-schema.ts';
import { withLaterTerms } from './later-terms.ts';
import type { RequestBody, SignedDecision } from './request.ts';
import { standingOf, type Standing } from './standing.ts';

/** A run that an export proves to have been approved, and by whom. Times are milliseconds since 1970. */
export interface ProvenRun {
  approval: string;
  digest: string;
  summary: string;
  environment: string | null;
  tool: string;
  requester: { person: string; agent: string; client: string };
  approvedBy: { approver: string; person: string; key: string; kind: string; at: number; reason: string }[];
  ranAt: number;
}

export interface Proof {
  runs: ProvenRun[];
  /** Runs and decisions that do not prove, each at its record. */
  problems: Problem[];
}

/** Approvers as the verifier knows them, and where from. */
export interface Registry {
  from: string;
  approvers: readonly PublicApprover[];
}

/** One request in an export: what was asked, what people said, what happened. */
interface Case {
  asked?: AuditRecord;
  body?: RequestBody;
  decided: AuditRecord[];
  moves: AuditRecord[];
}

/** After these a request never runs. */
const ENDED: ReadonlySet<string> = new Set(
  ['denied', 'expired', 'cancelled', 'revoked', 'stale'].map((state) => `approval.${state}`),
);

/**
 * Proves from an export alone who approved what ran. Every run's request is hashed anew and its decisions are verified and
 * counted as they were when it ran.
 *
 * @param registries public keys that the verifier trusts, each as of some time; a run must prove by one of them. Without any
 *   the export's own word counts for whose a key is.
 * @throws HoldpointError `not_found` where the file cannot be read.
 */
export async function proveRuns(file: string, registries: readonly Registry[]): Promise<Proof> {
  const cases = new Map<string, Case>();
  for await (const { record, request } of exportedEntries(file)) {
    const id = approvalOf(record);
    if (id === null || !record.kind.startsWith('approval.')) continue;
    let found = cases.get(id);
    if (!found) cases.set(id, (found = { decided: [], moves: [] }));
    if (record.kind === 'approval.requested') Object.assign(found, { asked: record, ...bodyOf(record, request) });
    else if (record.kind === 'approval.decided') found.decided.push(record);
    else found.moves.push(record);
  }
  const proof: Proof = { runs: [], problems: [] };
  for (const [id, each] of cases) {
    const { run, problems } = proveOrSay(id, each, registries);
    if (run) proof.runs.push(run);
    proof.problems.push(...problems);
  }
  proof.runs.sort((a, b) => a.ranAt - b.ranAt);
  return proof;
}

/** A request may be anything that fits its digest: what cannot even be read proves nothing. */
function proveOrSay(id: string, found: Case, registries: readonly Registry[]): ReturnType<typeof prove> {
  try {
    return prove(id, found, registries);
  } catch {
    const [at] = [...found.moves, ...found.decided];
    return { problems: at ? [problemAt(at, `${id}: what was asked cannot be read`)] : [] };
  }
}

function prove(id: string, found: Case, registries: readonly Registry[]): { run?: ProvenRun; problems: Problem[] } {
  const [run, ...again] = found.moves.filter(({ kind }) => kind === 'approval.acting');
  const last = run ?? found.decided.at(-1);
  if (!last) return { problems: [] };
  const problems: Problem[] = [];
  const add = (at: AuditRecord, says: string) => problems.push(problemAt(at, `${id}: ${says}`));
  for (const second of again) add(second, 'it ran a second time');
  const { asked, body } = found;
  if (!asked || !body) {
    add(asked ?? last, 'what was asked is not in the export, so nothing proves what was approved');
    return { problems };
  }
  // The body is the one whose hash the record tells.
  const digest = asked.data['digest'] as string;
  const decisions = found.decided.flatMap((record) => decisionIn(record, add));
  const own = standingOf(
    body,
    digest,
    decisions.map(({ decision }) => decision),
    decisions.map(({ as }) => as),
  );
  for (const { decision, why } of own.void) {
    const at = decisions.find((each) => each.decision === decision)?.record ?? last;
    add(at, `the decision of ${decision.approver} does not count: ${why}`);
  }
  for (const { decision, record } of decisions)
    if (decision.at < body.createdAt) add(record, `${decision.approver} decided before it was asked`);
  if (!run) return { problems };
  for (const says of runFaults(run, digest, found, own)) add(run, says);
  const proven = registries.length === 0 ? own : trusted(body, digest, decisions, registries, (says) => add(run, says));
  if (problems.length > 0 || !proven) return { problems };
  return { run: provenRun(id, digest, body, run, proven, decisions), problems };
}

interface Decided {
  record: AuditRecord;
  decision: SignedDecision;
  as: Approver;
}

/** What is wrong with a run itself, given what the decisions in the export amount to. */
function runFaults(run: AuditRecord, digest: string, { moves }: Case, own: Standing): string[] {
  const claims = moves.filter(({ kind, data }) => kind === 'approval.claimed' && data['fence'] === run.data['fence']);
  const claim = claims.find(({ writer, seq }) => writer === run.writer && seq < run.seq);
  const approved = moves.find(({ kind }) => kind === 'approval.approved');
  const approvedAt = approved ? timeOf(approved) : Infinity;
  const ended = moves.find(({ kind }) => ENDED.has(kind));
  return [
    ...(run.data['digest'] === digest ? [] : ['what ran is not what was asked']),
    ...(own.runBy === undefined ? [`it ran without approval by ${own.stillNeeded.join(' and ') || 'anybody'}`] : []),
    ...own.denials.map(({ approver }) => `it ran although ${approver} denied it`),
    ...(ended ? [`it ran although it was ${ended.kind.replace('approval.', '')}`] : []),
    ...(claim ? [] : ['nothing claimed it before it ran']),
    ...(claim && own.runBy !== undefined && timeOf(claim) > own.runBy ? ['it ran after the time to run was over'] : []),
    ...(claim && timeOf(run) < timeOf(claim) ? ['it ran before it was claimed'] : []),
    ...(claim && approvedAt > timeOf(claim) ? ['it was claimed before it was approved'] : []),
  ];
}

/** The standing by the first registry that proves it; without one says what the last of them lacks. */
function trusted(
  body: RequestBody,
  digest: string,
  decided: readonly Decided[],
  registries: readonly Registry[],
  fault: (says: string) => void,
): Standing | undefined {
  const standings = registries.map(({ approvers, from }) => ({
    from,
    standing: standingOf(
      body,
      digest,
      decided.map(({ decision }) => decision),
      approvers.map((each) => ({ ...each, protected: true })),
    ),
  }));
  const proven = standings.find(({ standing }) => standing.runBy !== undefined && standing.denials.length === 0);
  if (proven) return proven.standing;
  const { standing, from } = standings.at(-1) ?? {};
  const voids = standing?.void.map(({ decision, why }) => `${decision.approver}: ${why}`) ?? [];
  fault(`by ${from} it needs ${standing?.stillNeeded.join(' and ')} (${voids.join('; ') || 'no decision counts'})`);
  return undefined;
}

function provenRun(
  approval: string,
  digest: string,
  body: RequestBody,
  run: AuditRecord,
  { approvals }: Standing,
  decided: readonly Decided[],
): ProvenRun {
  return {
    approval,
    digest,
    summary: body.plan.preview.summary,
    environment: body.environment,
    tool: body.tool,
    requester: body.principal,
    approvedBy: approvals.map((decision) => {
      const as = decided.find((each) => each.decision === decision)?.as;
      const { approver, key, at, reason } = decision;
      return { approver, person: as?.person ?? '', key, kind: as?.keys[0]?.kind ?? '', at, reason };
    }),
    ranAt: timeOf(run),
  };
}

function bodyOf(record: AuditRecord, request: string | undefined): { body?: RequestBody } {
  if (request === undefined || sha256(request) !== record.data['digest']) return {};
  const body = JSON.parse(request) as RequestBody;
  return body.id === approvalOf(record) ? { body: withLaterTerms(body) } : {};
}

function decisionIn(record: AuditRecord, add: (at: AuditRecord, says: string) => void): Decided[] {
  const { as, takenAt: _takenAt, approval: _approval, ...said } = record.data;
  const [decision, approver] = [signedDecision.safeParse(said), publicApprover.safeParse(as)];
  if (decision.success && approver.success && approver.data.name === decision.data.approver)
    return [{ record, decision: decision.data, as: { ...approver.data, protected: true } }];
  add(record, 'it is no decision that can be verified');
  return [];
}

/** When something happened as the store counts time, which never goes back; a record's own time is the clock's. */
function timeOf({ data, time }: { data: JsonObject; time: string }): number {
  return typeof data['at'] === 'number' ? data['at'] : Date.parse(time);
}

function problemAt({ writer, seq }: AuditRecord, says: string): Problem {
  return { problem: 'unproved', writer, seq, says };
}
