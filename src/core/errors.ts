/** What went wrong, in the words that results, the audit log and the command line share. */
const ERROR_CODES = [
  'invalid_input',
  'not_found',
  'denied',
  'approval_required',
  'stale',
  'conflict',
  'upstream',
  'unavailable',
  'rate_limited',
  'timeout',
  'internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface ErrorDetails {
  /** What to do next, in words that an agent can act on. */
  hint?: string;
  /** The rule that spoke, where one did. */
  rule?: string;
  /** Whom to hand the work to (a role), where the refusal names one. */
  handOff?: string;
  /** For `stale`: each thing that moved, as it was and as it is. */
  changes?: Change[];
  /** Whether what was to be done may have been done: nobody saw how it ended. */
  unknown?: boolean;
  cause?: unknown;
}

/** One thing that moved between plan and run. */
export interface Change {
  what: string;
  was: string;
  is: string;
}

/**
 * The one error class. The message says what happened; the hint says what to do next. Adapters translate vendors' errors
 * into it, tools do not catch, and dispatch alone formats it.
 */
export class HoldpointError extends Error {
  override readonly name = 'HoldpointError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly rule: string | undefined;
  readonly handOff: string | undefined;
  readonly changes: Change[] | undefined;
  readonly unknown: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.rule = details.rule;
    this.handOff = details.handOff;
    this.changes = details.changes;
    this.unknown = details.unknown ?? false;
  }
}

/** Any thrown value as a HoldpointError; what is not one becomes `internal`, its own text kept only as the cause. */
export function asHoldpointError(thrown: unknown): HoldpointError {
  if (thrown instanceof HoldpointError) return thrown;
  return new HoldpointError('internal', 'Holdpoint failed while handling this call.', {
    hint: 'This is a defect in Holdpoint: its log (stderr) has the details. Trying the same call again may not help.',
    cause: thrown,
  });
}
