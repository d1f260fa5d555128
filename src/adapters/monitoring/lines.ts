import type { AlertGroup } from './alerts.ts';
import type { Rule } from './rules.ts';
import { labelText } from './text.ts';

/** A group of alerts in a line or three. */
export function alertLine({ alert, severity, age, count, labels, each, summary, runbook }: AlertGroup): string {
  const times = count > 1 ? ` ×${count}` : '';
  const head = [severity, `${alert}${times}`, `for ${age}`, labelText(labels)].filter(Boolean).join(' ');
  const others = count - (each?.length ?? count);
  return [
    summary ? `${head}: ${summary}` : head,
    ...(each ? [`  ${each.join('; ')}${others > 0 ? `; and ${others} more` : ''}`] : []),
    ...(runbook ? [`  runbook ${runbook}`] : []),
  ].join('\n');
}

export function ruleLine({ rule, state, severity, expr, for: wait, runbook, error }: Rule): string {
  return [
    `${[state, severity, rule].filter(Boolean).join(' ')}: ${expr}${wait ? ` for ${wait}` : ''}`,
    ...(error ? [`error: ${error}`] : []),
    ...(runbook ? [`runbook ${runbook}`] : []),
  ].join('; ');
}
