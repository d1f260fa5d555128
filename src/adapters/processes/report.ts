import type { ProcessReport } from './port.ts';

type Shown = { [K in keyof ProcessReport]?: ProcessReport[K] | undefined };

/** A report as short text: how it stands on one line, then what it wrote, as it is. */
export function reportText({ id, state, exitCode, output, unread, dropped }: Shown): string {
  const how = exitCode === undefined ? `${state}` : `${state} with ${exitCode}`;
  const more = [unread ? `${unread} characters to read` : '', dropped ? `${dropped} lost` : '']
    .filter(Boolean)
    .join(', ');
  const follow = state === 'running' ? `; read-process { id: "${id}" } follows it` : '';
  return `${how}${more ? ` (${more})` : ''}${follow}\n${output ?? ''}`.trimEnd();
}
