import type { Services } from './services.ts';

/** Records a minute; a flood beyond is counted, so that it fills neither the log nor what waits to be written. */
const KEPT = 200;
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
  const record = (data: { malformed: string; begins?: string; leftOut?: number }): void => {
    try {
      audit.append({ kind: 'received', data });
    } catch (err) {
      leftOut += 1;
      log('error', { err }, 'what was no message could not be recorded');
    }
  };
  const nextMinute = (): void => {
    minute = undefined;
    kept = 0;
    if (leftOut === 0) return;
    const count = leftOut;
    leftOut = 0;
    record({ malformed: 'more than are recorded one by one', leftOut: count });
  };
  return (reason, begins) => {
    minute ??= setTimeout(nextMinute, MINUTE).unref();
    if (kept >= KEPT) {
      leftOut += 1;
      return;
    }
    kept += 1;
    record({ malformed: reason, begins: redactor.text(begins).slice(0, 80) });
  };
}
