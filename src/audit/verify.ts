import type { Json } from '../core/json.ts';
import { canonicalJson, sha256 } from './canonical.ts';
import { GENESIS, type AuditRecord, type Checkpoint, type Head } from './chain.ts';

/** A record as it was found: its text and hash, and where its place in the store or file says it belongs. */
export interface FoundRecord {
  writer: string;
  seq: number;
  text: string;
  hash: string;
  /** Whether what stands beside the text (columns, the line around it) says the same as the text. */
  agrees: boolean;
}

export interface AuditSource {
  heads: readonly Head[];
  /** Every record up to the heads, each writer's in turn; read twice. */
  records: () => AsyncIterable<FoundRecord>;
  /** Places of records beyond what the heads know. */
  strays: readonly { writer: string; seq: number }[];
  /** What was wrong with the source itself. */
  faults: readonly Problem[];
}

export interface Problem {
  problem: 'changed' | 'missing' | 'out of order' | 'duplicate' | 'cut' | 'unknown' | 'unreadable' | 'unproved';
  writer: string;
  seq: number;
  says: string;
}

export interface Verification {
  ok: boolean;
  records: number;
  writers: number;
  checkpoints: number;
  problems: Problem[];
}

/** What later checkpoints and the heads say of earlier records: writer → seq → hash. */
type Expected = Map<string, Map<number, string>>;

interface Chain {
  seq: number;
  hash: string;
  /** Ranges of sequence numbers that were jumped over. */
  gaps: [from: number, to: number][];
}

/**
 * Checks every record, every link and everything that checkpoints and heads know, and says where each fault is.
 *
 * @param outside checkpoint records that are known from elsewhere
 */
export async function verifyAudit(source: AuditSource, outside: readonly Head[] = []): Promise<Verification> {
  const problems: Problem[] = [...source.faults];
  const expected: Expected = new Map();
  for (const head of [...source.heads, ...outside]) expect(expected, head);
  const checkpoints = await collectCheckpoints(source, expected);

  const chains = new Map<string, Chain>();
  let records = 0;
  for await (const found of source.records()) {
    records += 1;
    let chain = chains.get(found.writer);
    if (!chain) chains.set(found.writer, (chain = { seq: 0, hash: GENESIS, gaps: [] }));
    problems.push(...checkRecord(found, chain), ...checkExpected(found, expected));
  }
  for (const [writer, { gaps, seq }] of chains) {
    for (const [from, to] of gaps)
      problems.push({
        problem: 'missing',
        writer,
        seq: from,
        says: from === to ? `record ${from} is missing` : `records ${from} to ${to} are missing`,
      });
    if (!source.heads.some((head) => head.writer === writer))
      problems.push({ problem: 'unknown', writer, seq, says: 'no head knows this chain' });
  }
  for (const [writer, places] of expected) {
    const end = chains.get(writer)?.seq ?? 0;
    const beyond = [...places.keys()].filter((seq) => seq > end);
    if (beyond.length > 0)
      problems.push({
        problem: 'cut',
        writer,
        seq: end + 1,
        says: `the chain ends after record ${end}, but a checkpoint or head knows record ${Math.max(...beyond)}`,
      });
  }
  for (const { writer, seq } of source.strays)
    problems.push({ problem: 'unknown', writer, seq, says: 'the heads do not know this record' });
  problems.push(...checkCheckpoints(checkpoints));
  return { ok: problems.length === 0, records, writers: chains.size, checkpoints: checkpoints.length, problems };
}

function checkRecord(found: FoundRecord, chain: Chain): Problem[] {
  const { writer, seq } = found;
  const record = parseRecord(found);
  const problems: Problem[] = [];
  const add = (problem: Problem['problem'], says: string) => problems.push({ problem, writer, seq, says });
  if (!record) add('changed', 'the record is not what was hashed');
  const next = chain.seq + 1;
  if (seq >= next) {
    if (seq > next) chain.gaps.push([next, seq - 1]);
    else if (record && record.prevHash !== chain.hash)
      add('changed', `it does not follow from record ${seq - 1}: one of the two was changed`);
    chain.seq = seq;
    chain.hash = found.hash;
  } else if (fillGap(chain, seq)) add('out of order', 'a later record stands before it');
  else add('duplicate', 'there is another record with this number');
  return problems;
}

/** The record of a text that is whole and hashed as it stands, else undefined. */
function parseRecord({ writer, seq, text, hash, agrees }: FoundRecord): AuditRecord | undefined {
  if (!agrees || sha256(text) !== hash) return undefined;
  const record = parseCanonical(text) as AuditRecord | undefined;
  return record && record.writer === writer && record.seq === seq ? record : undefined;
}

/** The value of a text that is its own canonical form, else undefined. */
export function parseCanonical(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return canonicalJson(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

function fillGap(chain: Chain, seq: number): boolean {
  const index = chain.gaps.findIndex(([from, to]) => from <= seq && seq <= to);
  const gap = chain.gaps[index];
  if (!gap) return false;
  const rest: [number, number][] = [
    [gap[0], seq - 1],
    [seq + 1, gap[1]],
  ];
  chain.gaps.splice(index, 1, ...rest.filter(([from, to]) => from <= to));
  return true;
}

function expect(expected: Expected, { writer, seq, hash }: Head): void {
  let places = expected.get(writer);
  if (!places) expected.set(writer, (places = new Map()));
  // Two that disagree: no record can satisfy both, so the first fault is found either way.
  places.set(seq, places.has(seq) && places.get(seq) !== hash ? 'contradiction' : hash);
}

function checkExpected({ writer, seq, hash }: FoundRecord, expected: Expected): Problem[] {
  const wanted = expected.get(writer)?.get(seq);
  if (wanted === undefined) return [];
  expected.get(writer)?.delete(seq);
  return wanted === hash
    ? []
    : [{ problem: 'changed', writer, seq, says: 'a checkpoint or head knows it with another hash' }];
}

interface FoundCheckpoint {
  writer: string;
  seq: number;
  hash: string;
  previous: string | null;
}

async function collectCheckpoints(source: AuditSource, expected: Expected): Promise<FoundCheckpoint[]> {
  const checkpoints: FoundCheckpoint[] = [];
  for await (const found of source.records()) {
    if (!found.text.includes('"kind":"checkpoint"')) continue;
    const record = parseRecord(found);
    if (record?.kind !== 'checkpoint') continue;
    const { heads, previous } = record.data as unknown as Checkpoint;
    if (!Array.isArray(heads)) continue;
    for (const head of heads) expect(expected, head);
    checkpoints.push({ writer: found.writer, seq: found.seq, hash: found.hash, previous });
  }
  return checkpoints;
}

/** Checkpoints form one line of their own, across writers. */
function checkCheckpoints(checkpoints: readonly FoundCheckpoint[]): Problem[] {
  const known = new Set<string | null>([null, ...checkpoints.map(({ hash }) => hash)]);
  const followed = new Set<string | null>();
  const problems: Problem[] = [];
  for (const { writer, seq, previous } of checkpoints) {
    if (!known.has(previous))
      problems.push({ problem: 'missing', writer, seq, says: 'the checkpoint before this one is missing' });
    if (followed.has(previous))
      problems.push({ problem: 'unknown', writer, seq, says: 'another checkpoint follows the same one' });
    followed.add(previous);
  }
  return problems;
}
