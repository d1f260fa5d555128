import type { JsonObject } from '../core/json.ts';
import { canonicalJson, sha256 } from './canonical.ts';

/** What an audit record can be about. */
const AUDIT_KINDS = [
  'received',
  'opened',
  'closed',
  'server.started',
  'server.stopped',
  'checkpoint',
  'upstream.accepted',
  'upstream.removed',
  'upstream.changed',
  'approver.added',
  'approver.changed',
  'approver.removed',
  'console.link',
  'console.signed-in',
  'approval.requested',
  'approval.decided',
  'approval.approved',
  'approval.denied',
  'approval.expired',
  'approval.cancelled',
  'approval.claimed',
  'approval.released',
  'approval.stale',
  'approval.acting',
  'approval.step',
  'approval.done',
  'approval.failed',
  'approval.unknown',
  'approval.revoked',
  'approval.glass-broken',
  'approval.reviewed',
  'approval.ticked',
  'hand-off.opened',
  'hand-off.taken',
  'hand-off.closed',
] as const;

export type AuditKind = (typeof AUDIT_KINDS)[number];

/** What a caller gives; the log adds who, when and where in the chain. Redacted already. */
export interface AuditDraft {
  kind: AuditKind;
  /** The call it belongs to, where there is one. */
  callId?: string;
  data: JsonObject;
}

/** One entry of a writer's chain. `seq` counts from 1; `time` is ISO 8601 in UTC; `prevHash` is the hash of entry `seq - 1`. */
export interface AuditRecord {
  writer: string;
  seq: number;
  time: string;
  kind: AuditKind;
  callId: string | null;
  data: JsonObject;
  prevHash: string;
}

/** The end of a writer's chain as it is known somewhere. */
export interface Head {
  writer: string;
  seq: number;
  hash: string;
}

/** `data` of a `checkpoint`: the heads that moved since the previous checkpoint. Its own hash so covers all heads of all writers. */
export interface Checkpoint {
  heads: Head[];
  /** Hash of the previous checkpoint's record; null for the first. */
  previous: string | null;
}

/** `prevHash` of a chain's first record. */
export const GENESIS = `sha256:${'0'.repeat(64)}`;

/** A record's canonical text and its hash, which is SHA-256 over exactly that text. */
export function sealRecord(record: AuditRecord): { text: string; hash: string } {
  const text = canonicalJson(record);
  return { text, hash: sha256(text) };
}

/** The approval request that a record is about, or null. */
export function approvalOf({ data }: Pick<AuditRecord, 'data'>): string | null {
  return isApprovalId(data['approval']) ? data['approval'] : null;
}

export function isApprovalId(value: unknown): value is string {
  return typeof value === 'string' && /^apr_[0-9a-f]{32}$/.test(value);
}
