import { describe, expect, test } from 'vitest';

import type { ApprovalRequest } from '../../../src/approvals/request.ts';
import { draw, loaded, nothingYet, pressed, textLines, type Watching } from '../../../src/cli/watch-list.ts';
import { wrapped } from '../../../src/core/foreign.ts';

const SIZE = { columns: 80, rows: 24 };
const NOW = 1_000_000;

const request = (name: string, more: Partial<ApprovalRequest> = {}): ApprovalRequest =>
  ({
    id: `apr_${name.padEnd(32, '0')}`,
    state: 'pending',
    environment: 'production',
    summary: `restart ${name}`,
    createdAt: 0,
    approveBy: NOW + 600_000,
    approvalsGiven: 0,
    approvalsNeeded: 2,
    ...more,
  }) as ApprovalRequest;

const three = loaded(nothingYet(SIZE), [request('a'), request('b', { createdAt: 1 }), request('c', { createdAt: 2 })]);
const keys = (state: Watching, ...names: string[]) => names.reduce((at, name) => pressed(at, name).state, state);
const chosen = (state: Watching) => state.chosen?.slice(4, 5);

describe('approvals watch (I5)', () => {
  test('the picture is as large as the terminal, whatever is in it', () => {
    const many = Array.from({ length: 60 }, (_, index) =>
      request(String(index), { createdAt: index, summary: `${'漢'.repeat(100)}\n\x1b[2J\u202E` }),
    );
    for (const size of [SIZE, { columns: 40, rows: 6 }, { columns: 20, rows: 3 }, { columns: 200, rows: 50 }])
      for (const state of [
        nothingYet(size),
        loaded(nothingYet(size), many),
        keys(loaded(nothingYet(size), many), 'end'),
      ]) {
        const lines = draw(state, NOW);
        expect(lines).toHaveLength(size.rows);
        for (const line of lines) expect(wrapped(line, size.columns)).toHaveLength(1);
        // oxlint-disable-next-line no-control-regex -- that none is there
        expect(lines.join('')).not.toMatch(/[\x00-\x1f\u202E]/);
      }
  });

  test('a line says id, state, where, approvals, time left and what', () => {
    expect(draw(three, NOW)[1]).toBe('> apr_a0000000 pending  production  0/2  10m  restart a');
    expect(draw(three, NOW + 590_000)[1]).toContain(' 10s  restart a');
    expect(draw(three, NOW + 700_000)[1]).toContain('over  restart a');
  });

  test('arrows, j and k choose and stop at the ends; the chosen one stays in sight', () => {
    expect(chosen(three)).toBe('a');
    expect(chosen(keys(three, 'down', 'j'))).toBe('c');
    expect(chosen(keys(three, 'down', 'j', 'j', 'k'))).toBe('b');
    expect(chosen(keys(three, 'end', 'up', 'home', 'up'))).toBe('a');
    const many = loaded(
      nothingYet(SIZE),
      Array.from({ length: 60 }, (_, index) => request(`x${index}`, { createdAt: index })),
    );
    for (const names of [['end'], ['pagedown'], ['pagedown', 'pagedown', 'up'], []])
      expect(draw(keys(many, ...names), NOW).filter((line) => line.startsWith('> '))).toHaveLength(1);
  });

  test('what is chosen stays chosen while others come and go; pending ones come first', () => {
    const at = keys(three, 'down');
    expect(chosen(loaded(at, [request('0', { createdAt: -1 }), ...at.requests]))).toBe('b');
    const approved = loaded(at, [request('a', { state: 'approved' }), request('b'), request('c', { createdAt: 2 })]);
    expect(approved.requests.map(({ id }) => id.slice(4, 5))).toEqual(['b', 'c', 'a']);
    expect(chosen(loaded(at, [request('a'), request('c')]))).toBe('c');
    expect(chosen(loaded(at, []))).toBeUndefined();
  });

  test('keys ask for what they say, of the chosen one', () => {
    const id = three.requests[1]?.id;
    const at = keys(three, 'down');
    expect(pressed(at, 'return').act).toEqual({ act: 'show', id });
    expect(pressed(at, 'a').act).toEqual({ act: 'approve', id });
    expect(pressed(at, 'd').act).toEqual({ act: 'deny', id });
    for (const key of ['q', 'ctrl-c', 'escape']) expect(pressed(at, key).act).toEqual({ act: 'quit' });
    expect(pressed(nothingYet(SIZE), 'a').act).toBeUndefined();
    expect(pressed(at, 'x')).toEqual({ state: at });
  });

  test('an open request scrolls within its text, and escape goes back to the list', () => {
    const lines = textLines(Array.from({ length: 40 }, (_, index) => `line ${index}`).join('\n'), SIZE);
    const open: Watching = { ...three, open: { lines, top: 0 } };
    expect(draw(open, NOW)[1]).toBe('line 0');
    expect(draw(keys(open, 'down', 'down', 'k'), NOW)[1]).toBe('line 1');
    expect(draw(keys(open, 'end'), NOW).at(-2)).toBe('line 39');
    expect(draw(keys(open, 'pagedown', 'home', 'up'), NOW)[1]).toBe('line 0');
    expect(pressed(open, 'escape')).toEqual({ state: three });
    expect(pressed(open, 'a').act).toMatchObject({ act: 'approve' });
    expect(chosen(keys(open, 'down', 'escape'))).toBe('a');
  });
});
