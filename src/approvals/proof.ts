import { exportedEntries } from '../audit/export.ts';
import { approvalOf, type AuditRecord } from '../audit/chain.ts';
import type { Problem } from '../audit/verify.ts';
import type { PublicApprover } from './approver-file.ts';
import { CLOCK_SKEW } from './deciding.ts';
import { bodyOf, decisionIn, signers, timeOf, type Decided } from './proof-records.ts';
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
  approvedBy: Approval[];
  ranAt: number;
}

interface Approval extends Pick<SignedDecision, 'approver' | 'key' | 'at' | 'reason' | 'breakGlass'> {
  person: string;
  /** Of the key. */
  kind: string;
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
  const decisions = found.decided.flatMap((record) => {
    const decided = decisionIn(record);
    if (!decided) add(record, 'it is no decision that can be verified');
    return decided ?? [];
  });
  for (const { decision, why } of standing(body, digest, decisions, signers(decisions)).void) {
    const at = decisions.find((each) => each.decision === decision)?.record ?? last;
    add(at, `the decision of ${decision.approver} does not count: ${why}`);
  }
  for (const { decision, record } of decisions)
    if (decision.at < body.createdAt) add(record, `${decision.approver} decided before it was asked`);
  if (!run) return { problems };
  const claim = claimOf(run, found.moves);
  // What was signed after the claim approved nothing then.
  const before = claim ? decisions.filter(({ decision }) => decision.at <= timeOf(claim) + CLOCK_SKEW) : [];
  const own = standing(body, digest, before, signers(before));
  for (const says of runFaults(run, claim, digest, found, own)) add(run, says);
  const proven = registries.length === 0 ? own : trusted(body, digest, before, registries, (says) => add(run, says));
  if (problems.length > 0 || !proven) return { problems };
  return { run: provenRun(id, digest, body, run, proven, before), problems };
}

function standing(
  body: RequestBody,
  digest: string,
  decided: readonly Decided[],
  approvers: readonly PublicApprover[],
): Standing {
  return standingOf(
    body,
    digest,
    decided.map(({ decision }) => decision),
    approvers.map((each) => ({ ...each, protected: true })),
  );
}

/** The claim that a run had: by the same process, earlier, and of the same count. */
function claimOf(run: AuditRecord, moves: readonly AuditRecord[]): AuditRecord | undefined {
  return moves.find(
    ({ kind, data, writer, seq }) =>
      kind === 'approval.claimed' && data['fence'] === run.data['fence'] && writer === run.writer && seq < run.seq,
  );
}

/** What is wrong with a run itself, given what the decisions in the export amounted to at its claim. */
function runFaults(
  run: AuditRecord,
  claim: AuditRecord | undefined,
  digest: string,
  { moves }: Case,
  { runBy, stillNeeded, denials }: Standing,
): string[] {
  const ended = moves.find(({ kind }) => ENDED.has(kind));
  return [
    ...(run.data['digest'] === digest ? [] : ['what ran is not what was asked']),
    ...(ended ? [`it ran although it was ${ended.kind.replace('approval.', '')}`] : []),
    ...denials.map(({ approver }) => `it ran although ${approver} denied it`),
    ...(claim ? claimFaults(run, claim, moves, runBy) : ['nothing claimed it before it ran']),
    ...(claim && runBy === undefined ? [`it ran without approval by ${stillNeeded.join(' and ') || 'anybody'}`] : []),
  ];
}

/** What is wrong with the order of things. */
function claimFaults(
  run: AuditRecord,
  claim: AuditRecord,
  moves: readonly AuditRecord[],
  runBy: number | undefined,
): string[] {
  const approved = moves.find(({ kind }) => kind === 'approval.approved');
  return [
    ...(approved && timeOf(approved) <= timeOf(claim) ? [] : ['it was claimed before it was approved']),
    ...(runBy !== undefined && timeOf(claim) > runBy ? ['it ran after the time to run was over'] : []),
    ...(timeOf(run) < timeOf(claim) ? ['it ran before it was claimed'] : []),
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
  const judged = registries.map(({ approvers, from }) => ({
    from,
    found: standing(body, digest, decided, approvers),
  }));
  const proven = judged.find(({ found }) => found.runBy !== undefined && found.denials.length === 0);
  if (proven) return proven.found;
  const { found, from } = judged.at(-1) ?? {};
  const voids = found?.void.map(({ decision, why }) => `${decision.approver}: ${why}`) ?? [];
  fault(`by ${from} it needs ${found?.stillNeeded.join(' and ')} (${voids.join('; ') || 'no decision counts'})`);
  return undefined;
}

function provenRun(
  approval: string,
  digest: string,
  body: RequestBody,
  run: AuditRecord,
  { void: without }: Standing,
  decided: readonly Decided[],
): ProvenRun {
  const counted = decided.filter(({ decision }) => !without.some((each) => each.decision === decision));
  return {
    approval,
    digest,
    summary: body.plan.preview.summary,
    environment: body.environment,
    tool: body.tool,
    requester: body.principal,
    approvedBy: counted.map(({ decision: { approver, key, at, reason, breakGlass }, as }) => {
      const kind = as.keys.find(({ fingerprint }) => fingerprint === key)?.kind ?? '';
      return { approver, person: as.person, key, kind, at, reason, ...(breakGlass && { breakGlass }) };
    }),
    ranAt: timeOf(run),
  };
}

function problemAt({ writer, seq }: AuditRecord, says: string): Problem {
  return { problem: 'unproved', writer, seq, says };
}
