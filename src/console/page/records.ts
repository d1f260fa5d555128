import type { TimelinePage } from './answers.ts';
import { h } from './dom.ts';
import { foreign, verbatim } from './text.ts';
import { moment } from './when.ts';

type AuditRecord = TimelinePage['records'][number];

/** Records of the audit log, each with all that it holds behind it, and the way to its request unless that is `about`. */
export function records(rows: readonly AuditRecord[], about?: string): HTMLElement {
  return h(
    'ol',
    { class: 'records' },
    ...rows.map((record) => {
      const { writer, seq, time, kind, data, callId } = record;
      const id = `rec-${writer}-${seq}`;
      return h(
        'li',
        {},
        h(
          'details',
          { id },
          h('summary', {}, moment(Date.parse(time)), ' ', h('strong', {}, kind), ' ', foreign(gist(data))),
          verbatim({ ...data, ...(callId !== null && { callId }) }, `Record ${seq} of ${writer}`),
        ),
        typeof data['approval'] === 'string' &&
          data['approval'] !== about &&
          h('a', { class: 'about', href: `/console/requests/${data['approval']}` }, 'request'),
      );
    }),
  );
}

/** What a reader looks for first in a record, in a few words. */
function gist(data: AuditRecord['data']): string {
  const words = [
    'tool',
    'verdict',
    'status',
    'decision',
    'approver',
    'name',
    'by',
    'principal',
    'summary',
    'reason',
  ].flatMap((name) => (typeof data[name] === 'string' && data[name] !== '' ? [data[name]] : []));
  const text = words.join(' · ');
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
