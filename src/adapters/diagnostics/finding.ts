/** Worst first. */
export const SEVERITIES = ['error', 'warning', 'info'] as const;

export type Severity = (typeof SEVERITIES)[number];

/** One place that breaks a rule. Names and keys of the file may be in `what`; values of secrets never. */
export interface Finding {
  file: string;
  /** From 1. */
  line: number;
  rule: string;
  severity: Severity;
  what: string;
  why: string;
  /** What to write instead. */
  fix: string;
}

/** What a rule's check reports; the rest of the finding is the rule's. */
export interface Found {
  line: number;
  what: string;
  /** Where this place needs another one than the rule's. */
  fix?: string;
  severity?: Severity;
}

/** One check of one kind of file. Pure, and total: there is no source on which it throws. */
export interface Rule<Source> {
  /** Kebab-case; the same id in several kinds of file means the same thing. */
  id: string;
  severity: Severity;
  why: string;
  fix: string;
  check: (source: Source) => Iterable<Found>;
}

export function applyRules<Source>(rules: readonly Rule<Source>[], source: Source, file: string): Finding[] {
  return rules.flatMap(({ id, severity, why, fix, check }) =>
    [...check(source)].map((found) => ({
      file,
      line: found.line,
      rule: id,
      severity: found.severity ?? severity,
      what: found.what,
      why,
      fix: found.fix ?? fix,
    })),
  );
}

/** By severity, then by place. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
    a.line - b.line ||
    (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0)
  );
}

/** What cannot be read as the kind of file it is; it has no rule's check, for there is nothing to check. */
export function syntaxFinding(file: string, { line, what }: Found): Finding {
  return {
    file,
    line,
    rule: 'syntax',
    severity: 'error',
    what,
    why: 'The system that reads this file refuses it, or understands it otherwise than it looks.',
    fix: `Correct line ${line}, then check the file again.`,
  };
}
