import type { Json } from '../../core/json.ts';
import type { EventLine } from './events.ts';

type ShownEvent = Pick<EventLine, 'age' | 'type' | 'reason' | 'object' | 'count' | 'message'> & {
  others?: number | undefined;
  namespace?: string | undefined;
};

/** What a look at a cluster gave, as far as it is shown. */
export interface Look {
  kind: string;
  namespace?: string | undefined;
  table?:
    | {
        columns: string[];
        rows: string[][];
        leftOut?: number | undefined;
        remaining?: number | undefined;
        continue?: string | undefined;
      }
    | undefined;
  object?:
    | {
        name: string;
        status: string;
        problems: string[];
        details: Record<string, Json>;
        events: ShownEvent[];
        moreEvents?: number | undefined;
      }
    | undefined;
  events?: ShownEvent[] | undefined;
  moreEvents?: number | undefined;
  logs?: { pod: string; container: string; others: string[]; text: string; cut: boolean } | undefined;
}

/** A look as short text: tables as kubectl prints them, an object with what is wrong first, logs as they are. */
export function lookText({ kind, namespace, table, object, events, moreEvents, logs }: Look): string {
  const where = namespace === undefined ? '' : ` in ${namespace}`;
  if (logs)
    return `${logs.pod}, container ${logs.container}${logs.others.length > 0 ? ` (also: ${logs.others.join(', ')})` : ''}${logs.cut ? ', earlier lines: raise limit' : ''}\n${logs.text}`;
  if (object) {
    const details = Object.entries(object.details).map(
      ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
    return [
      `${kind} ${object.name}${where}: ${object.status}`,
      ...object.problems.map((problem) => `! ${problem}`),
      ...details,
      ...object.events.map(eventText),
      ...(object.moreEvents === undefined ? [] : [`… ${object.moreEvents} more events: show events`]),
    ].join('\n');
  }
  if (table) return tableText(kind, where, table);
  if (!events?.length) return `No events of ${kind}${where}.`;
  const more = moreEvents === undefined ? [] : [`… ${moreEvents} more: raise limit`];
  return [...events.map(eventText), ...more].join('\n');
}

function tableText(
  kind: string,
  where: string,
  { columns, rows, leftOut, remaining, continue: next }: NonNullable<Look['table']>,
): string {
  // A column that is empty in every row is not worth its width.
  const used = columns.map((_, index) => index).filter((index) => rows.some((row) => row[index]));
  const lines = [columns, ...rows].map((row) => used.map((index) => row[index] ?? ''));
  const widths = used.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const text = lines.map((line) =>
    line
      .map((cell, at) => cell.padEnd(at === used.length - 1 ? 0 : (widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const notes = [
    ...(leftOut ? [`${leftOut} not allowed by policy.`] : []),
    ...(next ? [`${remaining ?? 'More'} remain: continue "${next}".`] : []),
  ];
  return [rows.length > 0 ? text.join('\n') : `No ${kind}${where}.`, ...notes].join('\n');
}

function eventText({ age, type, reason, object, others, namespace, count, message }: ShownEvent): string {
  const about = `${namespace === undefined ? '' : `${namespace} `}${object}${others === undefined ? '' : ` and ${others} more`}`;
  return `${age} ago ${type} ${reason} ${about}${count > 1 ? ` ×${count}` : ''}: ${message}`;
}
