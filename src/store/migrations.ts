/**
 * The tables, one entry per version of the schema; an entry that has been released is never changed. `facts` holds single
 * values: the highest time seen, the last checkpoint.
 */
export const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)`,
    `CREATE TABLE audit_records (
      writer TEXT NOT NULL, seq BIGINT NOT NULL, time TEXT NOT NULL, kind TEXT NOT NULL, call_id TEXT, approval TEXT,
      record TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (writer, seq))`,
    `CREATE INDEX audit_records_by_time ON audit_records (time, writer, seq)`,
    `CREATE INDEX audit_records_by_approval ON audit_records (approval) WHERE approval IS NOT NULL`,
    `CREATE TABLE audit_heads (writer TEXT PRIMARY KEY, seq BIGINT NOT NULL, hash TEXT NOT NULL, sealed BIGINT NOT NULL)`,
    `CREATE TABLE approval_requests (
      id TEXT PRIMARY KEY, state TEXT NOT NULL, fence BIGINT NOT NULL, digest TEXT NOT NULL, body TEXT NOT NULL, sealed TEXT NOT NULL,
      principal TEXT NOT NULL, tool TEXT NOT NULL, plan_digest TEXT NOT NULL, same_as TEXT NOT NULL,
      created_at BIGINT NOT NULL, approve_by BIGINT NOT NULL, run_by BIGINT, moved_at BIGINT NOT NULL,
      owner TEXT, lease_until BIGINT, acted_at BIGINT, note TEXT, outcome TEXT)`,
    `CREATE INDEX approval_requests_by_state ON approval_requests (state, created_at)`,
    `CREATE INDEX approval_requests_by_principal ON approval_requests (principal, created_at)`,
    `CREATE UNIQUE INDEX approval_requests_once ON approval_requests (same_as)
      WHERE state IN ('pending', 'approved', 'claimed', 'acting')`,
    `CREATE TABLE approval_decisions (
      request TEXT NOT NULL REFERENCES approval_requests (id), approver TEXT NOT NULL, decision TEXT NOT NULL, at BIGINT NOT NULL,
      reason TEXT NOT NULL, digest TEXT NOT NULL, signature TEXT NOT NULL, PRIMARY KEY (request, approver, decision))`,
    `CREATE TABLE approval_steps (
      request TEXT NOT NULL REFERENCES approval_requests (id), step TEXT NOT NULL, fence BIGINT NOT NULL, at BIGINT NOT NULL,
      outcome TEXT NOT NULL, PRIMARY KEY (request, step))`,
  ],
  [
    `ALTER TABLE approval_decisions ADD COLUMN ticked TEXT NOT NULL DEFAULT '[]'`,
    `ALTER TABLE approval_decisions ADD COLUMN break_glass BIGINT NOT NULL DEFAULT 0`,
    `ALTER TABLE approval_decisions ADD COLUMN key TEXT NOT NULL DEFAULT ''`,
  ],
  [
    `CREATE TABLE approval_remarks (
      request TEXT NOT NULL REFERENCES approval_requests (id), approver TEXT NOT NULL, decision TEXT NOT NULL, at BIGINT NOT NULL,
      reason TEXT NOT NULL, digest TEXT NOT NULL, ticked TEXT NOT NULL, key TEXT NOT NULL, signature TEXT NOT NULL,
      PRIMARY KEY (request, approver, decision))`,
    `CREATE INDEX approval_decisions_glass ON approval_decisions (request) WHERE break_glass = 1`,
  ],
  [
    `CREATE INDEX audit_records_by_call ON audit_records (call_id) WHERE call_id IS NOT NULL`,
    `CREATE INDEX approval_requests_by_time ON approval_requests (created_at, id)`,
  ],
  [
    `CREATE TABLE memory_edits (
      workspace TEXT NOT NULL, id TEXT NOT NULL, at BIGINT NOT NULL, path TEXT NOT NULL, did TEXT NOT NULL, bytes BIGINT NOT NULL,
      tool TEXT NOT NULL, agent TEXT NOT NULL, person TEXT NOT NULL, call_id TEXT NOT NULL, undo TEXT NOT NULL,
      PRIMARY KEY (workspace, id))`,
    `CREATE INDEX memory_edits_by_time ON memory_edits (workspace, at, id)`,
    `CREATE TABLE hand_offs (
      workspace TEXT NOT NULL, id TEXT NOT NULL, same_as TEXT NOT NULL, sender TEXT NOT NULL, state TEXT NOT NULL, to_role TEXT NOT NULL,
      body TEXT NOT NULL, times BIGINT NOT NULL, created_at BIGINT NOT NULL, moved_at BIGINT NOT NULL, taken_by TEXT, note TEXT,
      PRIMARY KEY (workspace, id))`,
    `CREATE INDEX hand_offs_by_role ON hand_offs (workspace, to_role, state, created_at)`,
    `CREATE UNIQUE INDEX hand_offs_once ON hand_offs (workspace, same_as) WHERE state IN ('open', 'taken')`,
  ],
];
