import type { Outcome } from './run.ts';

export interface Row extends Outcome {
  server: string;
  group: string;
}

/** What went wrong, case by case. */
export function problems(rows: readonly Row[]): string {
  const lines = rows.flatMap(({ server, id, transport, escapes, wrong, twin }) => [
    ...escapes.map((text) => `ESCAPED ${server} ${id} (${transport}): ${text}`),
    ...wrong.map((text) => `WRONG   ${server} ${id} (${transport}): ${text}`),
    ...twin.map((text) => `TWIN    ${server} ${id} (${transport}): ${text}`),
  ]);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n\n`;
}

/** A line for each class, and for each server: cases that it has tools for, escapes, twins that worked. */
export function table(rows: readonly Row[]): string {
  const servers = [...new Set(rows.map(({ server }) => server))];
  const groups = [...new Set(rows.map(({ group }) => group))];
  const cell = (own: readonly Row[]) => {
    const tried = own.filter(({ calls, wrong }) => calls + wrong.length > 0);
    if (tried.length === 0) return 'no such tool';
    const escaped = tried.filter(({ escapes }) => escapes.length > 0).length;
    const wrong = tried.filter((row) => row.escapes.length === 0 && row.wrong.length > 0).length;
    const twins = tried.filter(({ twin }) => twin.length === 0).length;
    const calls = tried.reduce((sum, row) => sum + row.calls, 0);
    return `${escaped} escaped${wrong > 0 ? `, ${wrong} wrong` : ''} of ${tried.length} (${calls} calls); twins ${twins}/${tried.length}`;
  };
  const lines = [...groups, 'all'].map((group) => [
    group,
    String(new Set(rows.filter((row) => group === 'all' || row.group === group).map(({ id }) => id)).size),
    ...servers.map((server) =>
      cell(rows.filter((row) => row.server === server && (group === 'all' || row.group === group))),
    ),
  ]);
  const all = [['class', 'cases', ...servers], ...lines];
  const widths = all[0]?.map((_head, column) => Math.max(...all.map((line) => line[column]?.length ?? 0))) ?? [];
  return all
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
