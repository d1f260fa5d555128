import type { TimelinePage } from './answers.ts';
import { get } from './api.ts';
import { h, replaceContent } from './dom.ts';
import { records } from './records.ts';
import type { Frame, View } from './view.ts';

const FIELDS = ['tool', 'principal', 'verdict', 'approval', 'from', 'to'] as const;

/** The audit log, newest first, narrowed by what the address says; each page is an address of its own. */
export function auditView(frame: Frame, query: URLSearchParams): View {
  const value = (name: string) => query.get(name) ?? '';
  const apply = (event: Event) => {
    event.preventDefault();
    const given = [...new FormData(event.target as HTMLFormElement)].filter(([, text]) => text !== '');
    frame.go(`/console/audit?${new URLSearchParams(given as [string, string][])}`);
  };
  const input = (name: string, label: string, attributes: Record<string, string>) =>
    h(
      'div',
      {},
      h('label', { for: `f-${name}` }, label),
      h('input', { id: `f-${name}`, name, value: value(name), ...attributes }),
    );
  const form = h(
    'form',
    { class: 'filters card', submit: apply, 'aria-label': 'Filter' },
    input('tool', 'Tool', { placeholder: 'kubectl-rollout' }),
    input('principal', 'Principal', { placeholder: 'person/agent/client' }),
    h(
      'div',
      {},
      h('label', { for: 'f-verdict' }, 'Verdict'),
      h(
        'select',
        { id: 'f-verdict', name: 'verdict' },
        ...['', 'allow', 'require_approval', 'deny'].map((verdict) =>
          h('option', { value: verdict, selected: verdict === value('verdict') }, verdict || 'any'),
        ),
      ),
    ),
    input('approval', 'Request', { placeholder: 'apr_…', pattern: 'apr_[0-9a-f]{32}' }),
    input('from', 'From', { type: 'datetime-local' }),
    input('to', 'To', { type: 'datetime-local' }),
    h(
      'div',
      { class: 'buttons' },
      h('button', { type: 'submit', class: 'primary' }, 'Filter'),
      h('a', { href: '/console/audit' }, 'Clear'),
    ),
  );
  const found = h('div', {});
  let last = '';
  return {
    title: 'Audit log',
    async draw() {
      const page = await get<TimelinePage>(`audit?${asked(query)}`);
      if (!found.isConnected) replaceContent(frame.main, h('h1', { tabindex: '-1' }, 'Audit log'), form, found);
      const text = JSON.stringify(page);
      if (text === last) return;
      last = text;
      const { records: rows, older } = page;
      const next =
        older === undefined ? undefined : new URLSearchParams([...query].filter(([name]) => name !== 'before'));
      next?.set('before', older ?? '');
      replaceContent(
        found,
        rows.length === 0 ? h('p', { class: 'empty' }, 'No record here fits.') : records(rows),
        h(
          'nav',
          { class: 'pages', 'aria-label': 'Pages' },
          query.has('before') && h('a', { href: newest(query), id: 'newest' }, 'Newest'),
          next && h('a', { href: `/console/audit?${next}`, id: 'older' }, 'Older'),
        ),
      );
    },
  };
}

/** The filter as the server takes it: times in UTC. */
function asked(query: URLSearchParams): URLSearchParams {
  const given = [...FIELDS, 'before'].flatMap((name): [string, string][] => {
    const text = query.get(name);
    if (!text) return [];
    return [[name, name === 'from' || name === 'to' ? new Date(text).toISOString() : text]];
  });
  return new URLSearchParams(given);
}

function newest(query: URLSearchParams): string {
  return `/console/audit?${new URLSearchParams([...query].filter(([name]) => name !== 'before'))}`;
}
