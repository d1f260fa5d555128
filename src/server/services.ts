import type { Edits } from '../adapters/memory/edits.ts';
import type { Approvals } from '../approvals/approvals.ts';
import type { AuditLog } from '../audit/log.ts';
import type { Verdict } from '../core/decision.ts';
import type { Facts } from '../core/facts.ts';
import type { Principal } from '../core/principal.ts';
import type { Scope } from '../core/scopes.ts';
import type { Ports, Progress } from '../core/tool.ts';
import type { HandOffs } from '../hand-offs/hand-offs.ts';
import type { Persona } from '../personas/persona.ts';
import type { Redactor } from '../redact/redact.ts';
import type { Limits } from './limits.ts';
import type { PolicySource } from './policy-source.ts';
import type { Registry } from './registry.ts';
import type { Results } from './results.ts';
import type { Tracing } from './tracing.ts';

/** One `tools/call`, as a transport hands it over. */
export interface Call {
  /** Correlation id; goes to the audit log, the log, upstream requests and errors. */
  id: string;
  tool: string;
  arguments: unknown;
  principal: Principal;
  /** What the caller's token lets it do; the policy decides within that. */
  scopes: readonly Scope[];
  /** The transport has held the call to the principal's limits already. */
  admitted?: boolean;
  transport: 'stdio' | 'http' | 'demo';
  signal: AbortSignal;
  /** The client's own span, as W3C `traceparent`. */
  traceparent?: string;
  progress(update: Progress): void;
}

/** What happened, for metrics and the log: a call that ended, or a decision on one. */
export type Observation =
  | { event: 'call'; callId: string; tool: string; status: string; code?: string; seconds: number }
  | { event: 'rate-limited'; transport: Call['transport'] }
  | { event: 'decision'; callId: string; tool: string; verdict: Verdict; environment: string };

/** Moments just before and just after an approved plan's own effects; the approvals have points of their own. */
export type RunPoint = 'run:before' | 'run:after';

/** Everything that dispatch works with; made once per process by app.ts. */
export interface Services {
  registry: Registry;
  persona: Persona;
  policies: PolicySource;
  facts: Facts;
  ports: Ports;
  /** What file tools change is recorded here by itself. */
  edits: Pick<Edits, 'record' | 'alone'>;
  /** Work that roles leave for one another. */
  handOffs: HandOffs;
  audit: AuditLog;
  approvals: Approvals;
  redactor: Redactor;
  results: Results;
  limits: Limits;
  /** Other servers that the persona may use and that have no tools here yet: what is to be done, a line each. */
  waitingUpstreams?: readonly string[];
  /** Bytes of a result, at most. */
  maxBytes: number;
  /** Where a person looks at a request, while the console is served; no secret is in it. */
  reviewUrl(id: string): string | undefined;
  /** Milliseconds since 1970. */
  now(): number;
  /** Names this process in claims. */
  owner: string;
  /** Milliseconds between renewals of a running claim's lease. */
  leaseRenewal: number;
  /** Aborted when the server begins to stop: reads and waits end then, writes go on. */
  draining: AbortSignal;
  /** Aborted when the server stops; what writes listen to. */
  stopping: AbortSignal;
  observe: (observation: Observation) => void;
  tracing: Tracing;
  log(level: 'error' | 'warn' | 'info' | 'debug', fields: Record<string, unknown>, message: string): void;
  /** A seam for the crash tests: called at each point of a run. */
  at(point: RunPoint): void;
}
