import { z } from 'zod';

import type { Change, ErrorCode } from './errors.ts';
import type { JsonObject } from './json.ts';

/** What an agent is told of a held call. */
export interface ApprovalNotice {
  id: string;
  digest: string;
  summary: string;
  /** ISO 8601, UTC. */
  expiresAt: string;
  state?: string;
  reviewUrl?: string;
}

interface EnvelopeError {
  code: ErrorCode;
  reason: string;
  hint?: string;
  rule?: string;
  handOff?: string;
  /** The role is to be consulted; the work stays with this one. */
  consult?: true;
  changes?: Change[];
}

/** `structuredContent` of every result, of every tool. */
export interface Envelope {
  status: 'done' | 'approval_required' | 'denied' | 'stale' | 'error' | 'planned';
  result?: JsonObject;
  approval?: ApprovalNotice;
  error?: EnvelopeError;
  /** What to do next. */
  next?: string;
}

/**
 * The one advertised output schema. It is open and requires only `status`: clients validate structured content against it
 * even for errors, and a closed or per-tool schema would turn a held call into a protocol error.
 */
export const envelopeSchema = z.looseObject({ status: z.string() });
