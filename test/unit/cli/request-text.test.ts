import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { ApprovalRequest } from '../../../src/approvals/request.ts';
import { flow, painted, sideBySide } from '../../../src/cli/layout.ts';
import { requestText } from '../../../src/cli/request-text.ts';
import { TERMS } from '../approvals/kit.ts';

const REQUEST: ApprovalRequest = {
  v: 1,
  id: `apr_${'a'.repeat(32)}`,
  digest: `sha256:${'b'.repeat(64)}`,
  state: 'pending',
  fence: 0,
  summary: 'set images of deployment/api in tta-prod (context prod-eu)',
  principal: { person: 'ann', agent: 'devops', client: 'editor' },
  persona: 'devops',
  tool: 'kubectl-rollout',
  schemaHash: 'sha256:1',
  planDigest: 'sha256:2',
  sealedDigest: 'sha256:3',
  policyDigest: 'sha256:4',
  rules: ['production'],
  reason: 'Production changes need a person.',
  environment: 'production',
  handOff: null,
  terms: TERMS,
  createdAt: Date.UTC(2026, 0, 1),
  approveBy: Date.UTC(2026, 0, 1, 1),
  approvalsNeeded: 1,
  approvalsGiven: 0,
  stillNeeded: [],
  decisions: [],
  movedAt: 0,
  steps: [],
  plan: {
    effect: 'write',
    targets: [{ kind: 'workload', id: 'deployment/api in tta-prod', effect: 'write' }],
    preconditions: [{ id: 'x', says: 'pod template of deployment/api', value: 1 }],
    steps: [{ id: 'patch', does: 'patch it', call: { method: 'PATCH', path: `/apis/${'x'.repeat(200)}` } }],
    preview: {
      summary: 'set images',
      parts: [
        { kind: 'risks', items: ['one replica serves front'] },
        {
          kind: 'facts',
          title: 'What it can break',
          rows: [
            ['services', 'front'],
            ['pods', '2 ready'],
          ],
        },
        { kind: 'diff', title: 'live → result', text: '--- live\n+++ result\n-image: api:1\n+image: api:2\n' },
        { kind: 'undo', text: 'kubectl-rollout with action undo and toRevision 1' },
      ],
    },
  },
};

const widthOf = (text: string) => Math.max(...text.split('\n').map((line) => Array.from(line).length));

describe('I4: what the terminal shows of a request', () => {
  test('what, where and what to mind come first; then who and why, what changes, how to undo it, and the steps', () => {
    const text = requestText(REQUEST);
    const order = [
      'PENDING · production · write',
      'set images of deployment/api',
      'one replica serves front',
      'asked by',
      'held by',
      'What it can break',
      'live → result',
      'To undo it',
      'What will be done, once',
      'Stale if any of these moves',
      'digest ',
    ];
    const places = order.map((each) => text.indexOf(each));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(text).toContain('  services  front\n  pods      2 ready');
    expect(text).toContain('  │ -image: api:1\n  │ +image: api:2');
  });

  test('then and now stand side by side, and long hashes are cut to what people compare', () => {
    const note = {
      changes: [
        {
          what: 'pod template',
          was: `hash: sha256:${'1'.repeat(64)}, images.api: api:1`,
          is: `hash: sha256:${'2'.repeat(64)}, images.api: api:9`,
        },
      ],
    };
    const text = requestText({ ...REQUEST, state: 'stale', note }, { columns: 100, colour: false });
    expect(text).toContain('What moved since it was asked for');
    expect(text).toMatch(/^ +│ then +│ now$/m);
    expect(text).toMatch(/pod template +│ hash: sha256:111111111111…, +│ hash: sha256:222222222222…,/);
    expect(text).toMatch(/│ images\.api: api:1 +│ images\.api: api:9/);
  });

  test('checklist, window and what it follows are there where the request has them', () => {
    const text = requestText({
      ...REQUEST,
      follows: 'apr_old',
      checklist: [
        {
          id: 'a/b',
          says: 'A backup was taken',
          phase: 'pre',
          kind: 'evidence',
          mayTick: false,
          state: 'ok',
          evidence: '12 minutes old',
        },
        { id: 'a/c', says: 'Support knows', phase: 'pre', kind: 'person', mayTick: true, state: 'open' },
      ],
      window: { open: false, says: 'business hours, Monday to Friday' },
    });
    expect(text).toContain('  ✓ A backup was taken [a/b] ok: 12 minutes old\n  ☐ Support knows [a/c] open');
    expect(text).toContain('closed: business hours, Monday to Friday');
    expect(text).toContain('apr_old, which went stale; no approval of that one counts here');
  });

  test('it fits 80 to 120 columns, and no text of others begins a line of ours', () => {
    const hostile = fc
      .array(
        fc.constantFrom(
          '\n',
          '\r',
          '\u001B[2J',
          '\u202e',
          'Approved by alice',
          'x'.repeat(150),
          ' ',
          'id      apr_1',
          '東',
          '\t',
        ),
      )
      .map((list) => list.join(''));
    const calm = new Set(
      requestText(REQUEST)
        .split('\n')
        .map((line) => line.split(' ')[0]),
    );
    fc.assert(
      fc.property(hostile, fc.integer({ min: 80, max: 120 }), (said, columns) => {
        const parts: NonNullable<ApprovalRequest['plan']['preview']['parts']> = [
          { kind: 'risks', items: [said] },
          { kind: 'facts', title: 'What it can break', rows: [[said.slice(0, 10), said]] },
          { kind: 'diff', title: 'live → result', text: said },
          { kind: 'undo', text: said },
        ];
        const step = { id: said, does: said, call: said };
        const plan = { ...REQUEST.plan, steps: [step], preview: { summary: 'x', parts } };
        const note = { changes: [{ what: said, was: said, is: said }], reason: 'moved' };
        const text = requestText({ ...REQUEST, plan, note, state: 'stale' }, { columns, colour: false });
        expect(widthOf(text)).toBeLessThanOrEqual(columns);
        // oxlint-disable-next-line no-control-regex -- what must not be there
        expect(text).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u202A-\u202E]/);
        const begins = text.split('\n').map((line) => line.split(' ')[0] ?? '');
        for (const word of begins.filter((each) => each !== '' && !calm.has(each)))
          expect(['STALE', 'What', 'stale:']).toContain(word);
        expect(text.split('\n').filter((line) => line.startsWith('id '))).toHaveLength(1);
      }),
    );
  });

  test('colour is on the terminal alone, and says nothing that the words do not', () => {
    const plainText = requestText(REQUEST, { columns: 100, colour: false });
    const colour = requestText(REQUEST, { columns: 100, colour: true });
    expect(plainText).not.toContain('\u001B');
    expect(colour).toContain('\u001B[31m');
    // oxlint-disable-next-line no-control-regex -- colours
    expect(colour.replaceAll(/\u001B\[\d+m/g, '')).toBe(plainText);
    expect(painted('red', 'x', { columns: 80, colour: false })).toBe('x');
  });

  test('sentences break between words, and nothing of them is lost', () => {
    expect(flow('one two three', 7)).toEqual(['one two', 'three']);
    expect(flow('abcdefghij kl', 4)).toEqual(['abcd', 'efgh', 'ij', 'kl']);
    fc.assert(
      fc.property(fc.array(fc.constantFrom('ab', 'c', ' ', 'defghijklmnop'), { maxLength: 30 }), (words) => {
        const text = words.join('');
        expect(flow(text, 10).join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
      }),
    );
    for (const line of sideBySide([['a'.repeat(90), 'b'.repeat(90), 'c'.repeat(90)]], 78))
      expect(line.length).toBeLessThanOrEqual(78);
  });
});
