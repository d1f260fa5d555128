import { describe, expect, test } from 'vitest';

import type { ItemState } from '../../../src/approvals/checklists.ts';
import type { ApprovalRequest } from '../../../src/approvals/request.ts';
import { ticksFor } from '../../../src/cli/ticks.ts';

const item = (id: string, state: ItemState['state'], kind: ItemState['kind'], mayTick: boolean): ItemState => ({
  id,
  phase: id.endsWith('later') ? 'post' : 'pre',
  says: id,
  kind,
  state,
  mayTick,
  ...(kind === 'evidence' && { evidence: 'what was seen' }),
});

const CHECKLIST = [
  item('go/looked', 'open', 'person', true),
  item('go/told', 'open', 'person', true),
  item('go/tests', 'unknown', 'evidence', true),
  item('go/alerts', 'failed', 'evidence', false),
  item('go/ready', 'ok', 'evidence', false),
  item('other/looked', 'open', 'person', true),
  item('go/later', 'open', 'person', true),
];
const ticks = (written?: string[]) => ticksFor({ checklist: CHECKLIST } as ApprovalRequest, written, { yes: true });

describe('I3 approve --tick', () => {
  test('all is every item before the run that only a person can know, each by its id', async () => {
    expect(await ticks(['all'])).toEqual(['go/looked', 'go/told', 'other/looked']);
  });

  test('what Holdpoint did not see is named, by its id or its last part', async () => {
    expect(await ticks(['all', 'tests'])).toEqual(['go/looked', 'go/told', 'other/looked', 'go/tests']);
    expect(await ticks(['go/tests', 'go/tests', 'ready'])).toEqual(['go/tests', 'go/ready']);
  });

  test.each([
    ['looked', 'Several items are called "looked".'],
    ['nothing', 'There is no item "nothing".'],
    ['alerts', 'go/alerts ticks itself and cannot be ticked by hand.'],
  ])('%s: %s', async (name, message) => {
    await expect(ticks([name])).rejects.toMatchObject({ code: 'invalid_input', message });
  });

  test('without it, and without a terminal, nothing is ticked', async () => {
    expect(await ticks()).toEqual([]);
  });
});
