import type { Services } from './services.ts';

/** Recorded one by one in a minute; a flood beyond is recorded by its count, so that it fills neither the disk nor the queue. */
const KEPT = 200;
/** How many of them one record counts, at most. */
const COUNTED = 1000;
const MINUTE = 60_000;

/**
 * What was no message still leaves a trace in the audit log: what was wrong and how it began. Never throws: a stranger's bytes
 * must not end the process.
 */
export function createMalformed({
  audit,
  redactor,
  log,
}: Pick<Services, 'audit' | 'redactor' | 'log'>): (reason: string, begins: string) => void {
  let kept = 0;
  let leftOut = 0;
  let minute: NodeJS.Timeout | undefined;
  const recorded = (data: { malformed: string; begins?: string; leftOut?: number }): boolean => {
    try {
      audit.append({ kind: 'received', data });
      return true;
    } catch (err) {
      log('error', { err }, 'what was no message could not be recorded');
      return false;
    }
  };
  const count = (): void => {
    if (leftOut > 0 && recorded({ malformed: 'more than are recorded one by one', leftOut })) leftOut = 0;
  };
  const nextMinute = (): void => {
    minute = undefined;
    kept = 0;
    count();
  };
  return (reason, begins) => {
    minute ??= setTimeout(nextMinute, MINUTE).unref();
    kept += 1;
    if (kept <= KEPT && recorded({ malformed: reason, begins: redactor.text(begins).slice(0, 80) })) return;
    leftOut += 1;
    if (leftOut % COUNTED === 0) count();
  };
}
