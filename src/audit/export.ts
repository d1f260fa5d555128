import { createReadStream } from 'node:fs';

import { z } from 'zod';

import { HoldpointError } from '../core/errors.ts';
import { parseObject, type Json } from '../core/json.ts';
import type { Store } from '../store/store.ts';
import { canonicalJson, sha256 } from './canonical.ts';
import { approvalOf, type AuditKind, type AuditRecord } from './chain.ts';
import { storeSource } from './read.ts';
import { parseCanonical, type AuditSource, type FoundRecord, type Problem } from './verify.ts';

const head = z.strictObject({
  writer: z.string(),
  seq: z.int().min(1),
  hash: z.string().regex(/^sha256:[0-9a-f]{64}$/),
});

const lastLine = z.strictObject({ heads: z.array(head), requests: z.int().min(0).optional() });

/**
 * The whole log as JSON lines: `{ hash, record }` for each record; after the record of a new request also `{ request }`, the
 * text whose digest people signed; then one line `{ heads, requests }`, where `requests` counts these.
 */
export async function* exportAudit(store: Store): AsyncIterable<string> {
  const { heads, records } = await storeSource(store);
  let requests = 0;
  for await (const { hash, text } of records()) {
    yield `{"hash":${JSON.stringify(hash)},"record":${text}}`;
    const request = text.includes(`"kind":"${REQUESTED}"`) ? await requestOf(store, text) : undefined;
    if (request === undefined) continue;
    requests += 1;
    yield canonicalJson({ request });
  }
  yield canonicalJson({ heads, requests });
}

const REQUESTED: AuditKind = 'approval.requested';

/** As it lies in the store: where it was changed by hand, its digest tells whoever verifies the file. */
async function requestOf(store: Store, text: string): Promise<Json | undefined> {
  const record = parseObject(text) as AuditRecord | undefined;
  const id = record?.kind === REQUESTED && approvalOf(record);
  if (!id) return undefined;
  const [row] = await store.query<{ body: string }>('SELECT body FROM approval_requests WHERE id = ?', [id]);
  return row && parseObject(row.body);
}

/**
 * An exported file for verifying.
 *
 * @throws HoldpointError `not_found` where it cannot be read.
 */
export async function exportSource(file: string): Promise<AuditSource> {
  const faults: Problem[] = [];
  const lacking: Problem[] = [];
  let requests = 0;
  let end: z.output<typeof lastLine> | undefined;
  let asked: AuditRecord | undefined;
  for await (const { value, line, number } of linesOf(file)) {
    if (end) faults.push(unreadable(number, 'something follows the line of heads'));
    const request = requestIn(value, line);
    if (request !== undefined) {
      requests += 1;
      if (asked?.data['digest'] !== sha256(request))
        faults.push({
          problem: 'changed',
          writer: asked?.writer ?? `line ${number}`,
          seq: asked?.seq ?? number,
          says: `line ${number} is not the request that the record before it tells the digest of`,
        });
      asked = undefined;
      continue;
    }
    if (asked) lacking.push(withoutRequest(asked));
    const found = recordOf(value, line);
    asked = found && askedIn(found);
    if (found) continue;
    end = lastLineOf(value, line);
    if (!end) faults.push(unreadable(number, 'this line is no audit record as it was exported'));
  }
  if (!end) faults.push({ problem: 'cut', writer: file, seq: 0, says: 'the file ends without its line of heads' });
  if (requests < (end?.requests ?? 0)) faults.push(...lacking);
  return { heads: end?.heads ?? [], strays: [], faults, records: () => exportedRecords(file) };
}

/** Each record of a file in turn, as it stands there, and the text of the request that it is about where that follows. */
export async function* exportedEntries(file: string): AsyncIterable<{ record: AuditRecord; request?: string }> {
  let last: AuditRecord | undefined;
  for await (const { value, line } of linesOf(file)) {
    const request = requestIn(value, line);
    if (last) yield { record: last, ...(request !== undefined && { request }) };
    const found = recordOf(value, line);
    last = found?.agrees ? (JSON.parse(found.text) as AuditRecord) : undefined;
  }
  if (last) yield { record: last };
}

async function* exportedRecords(file: string): AsyncIterable<FoundRecord> {
  for await (const { value, line } of linesOf(file)) {
    const found = recordOf(value, line);
    if (found) yield found;
  }
}

/** An export's last line, exactly as it was written; undefined where the line is anything else. */
function lastLineOf(value: Record<string, Json> | undefined, line: string): z.output<typeof lastLine> | undefined {
  const parsed = lastLine.safeParse(value);
  return parsed.success && parseCanonical(line) !== undefined ? parsed.data : undefined;
}

/** The canonical text of a line's request; undefined where the line is anything else. */
function requestIn(value: Record<string, Json> | undefined, line: string): string | undefined {
  if (!value || Object.keys(value).join() !== 'request') return undefined;
  return parseCanonical(line) === undefined ? '' : canonicalJson(value['request']);
}

function askedIn({ agrees, text }: FoundRecord): AuditRecord | undefined {
  const record = agrees ? (JSON.parse(text) as AuditRecord) : undefined;
  return record?.kind === REQUESTED ? record : undefined;
}

function withoutRequest({ writer, seq }: AuditRecord): Problem {
  return { problem: 'missing', writer, seq, says: 'the request that it is about is missing after it' };
}

const recordLine = z.looseObject({
  hash: z.string(),
  record: z.looseObject({
    writer: z.string(),
    seq: z.int(),
    kind: z.string(),
    data: z.record(z.string(), z.unknown()),
  }),
});

/** A line's record; undefined where it is none. A line that was spelled differently is found, but does not agree. */
function recordOf(value: Record<string, Json> | undefined, line: string): FoundRecord | undefined {
  const parsed = recordLine.safeParse(value);
  if (!parsed.success) return undefined;
  const { hash, record } = parsed.data;
  const agrees = parseCanonical(line) !== undefined;
  return { writer: record.writer, seq: record.seq, text: agrees ? canonicalJson(record) : '', hash, agrees };
}

/** Lines end in \n and nothing else: node:readline would also split at U+2028, which may stand in a record's text. */
async function* linesOf(
  file: string,
): AsyncIterable<{ value: Record<string, Json> | undefined; line: string; number: number }> {
  let number = 0;
  let rest = '';
  try {
    for await (const chunk of createReadStream(file, 'utf8')) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield { value: parseObject(line), line, number: (number += 1) };
    }
  } catch (cause) {
    throw new HoldpointError('not_found', `The file ${file} cannot be read.`, {
      hint: 'Give a file that `holdpoint audit export` wrote.',
      cause,
    });
  }
  if (rest !== '') yield { value: parseObject(rest), line: rest, number: number + 1 };
}

function unreadable(line: number, says: string): Problem {
  return { problem: 'unreadable', writer: `line ${line}`, seq: line, says };
}
