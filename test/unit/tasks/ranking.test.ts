import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';

import { rank } from '../../../src/adapters/tasks/ranking.ts';
import type { Task } from '../../../src/adapters/tasks/shapes.ts';
import { storyFaults } from '../../../src/adapters/tasks/story.ts';
import { loadRanking, type Ranking } from '../../../src/adapters/tasks/weights.ts';
import { TASK_RANKING } from '../../../src/config/locations.ts';

let ranking: Ranking;
beforeAll(async () => {
  ranking = await loadRanking(TASK_RANKING);
});

const plain: Task = {
  id: 'T',
  title: 'A colour',
  status: 'open',
  type: 'feature',
  labels: [],
  stakeholders: [],
  blocks: [],
  blockedBy: [],
  assignee: null,
  createdAt: '2026-11-01T00:00:00Z',
};

const references = fc.array(
  fc.record({
    id: fc.constantFrom('A', 'B', 'C'),
    team: fc.constantFrom('dev', 'qa', 'devops', 'design'),
    status: fc.constantFrom('open', 'claimed', 'done'),
  }),
  { maxLength: 4 },
);

const words = fc.constantFrom(
  'deploy',
  'CI',
  'pipeline',
  'database',
  'docker',
  'colour',
  'outage',
  'security',
  'capital',
);
const someTask: fc.Arbitrary<Task> = fc
  .record({
    title: fc.array(words, { minLength: 1, maxLength: 4 }).map((each) => each.join(' ')),
    type: fc.constantFrom('enabler', 'bug', 'incident', 'feature'),
    labels: fc.array(words, { maxLength: 3 }),
    priority: fc.constantFrom('critical' as const, 'high' as const, 'low' as const),
    environment: fc.constantFrom('production', 'staging'),
    sprint: fc.constantFrom('current', 'next'),
    stakeholders: fc.constantFrom<string[]>([], ['developers'], ['Design']),
    status: fc.constantFrom('open' as const, 'open' as const, 'open' as const, 'claimed' as const, 'done' as const),
    blocks: references,
    blockedBy: fc.oneof(
      { weight: 3, arbitrary: fc.constant<Task['blocks']>([]) },
      { weight: 1, arbitrary: references },
    ),
    createdAt: fc.constantFrom('2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z'),
  })
  .map((each) => ({ ...plain, ...each }));
const someTasks = fc
  .array(someTask, { maxLength: 20 })
  .map((tasks) => tasks.map((task, index) => ({ ...task, id: `T-${index}` })));

const ORDER = ['blocker', 'production issue', 'enabler', 'other'];

describe('what is next (H3)', () => {
  test('a blocker is never below a production issue, that never below an enabler, that never below the rest', () => {
    fc.assert(
      fc.property(someTasks, (tasks) => {
        const classes = rank(tasks, ranking).ranked.map((each) => ORDER.indexOf(each.class));
        expect(classes).toEqual(classes.toSorted((a, b) => a - b));
      }),
    );
  });

  test('the order does not depend on the order that they came in, and every one has its reasons', () => {
    fc.assert(
      fc.property(someTasks, (tasks) => {
        const ids = (list: Task[]) => rank(list, ranking).ranked.map(({ task }) => task.id);
        expect(ids(tasks.toReversed())).toEqual(ids(tasks));
        for (const { why } of rank(tasks, ranking).ranked) expect(why.length).toBeGreaterThan(0);
      }),
    );
  });

  test('what cannot be taken is counted and not listed', () => {
    fc.assert(
      fc.property(someTasks, (tasks) => {
        const { ranked, left } = rank(tasks, ranking);
        expect(ranked.length + left.taken + left.blocked).toBe(tasks.length);
        for (const { task } of ranked) expect(task.status).toBe('open');
      }),
    );
  });

  test('one more keyword, one more task that waits, a higher priority: never lower in its class', () => {
    fc.assert(
      fc.property(someTask, (task) => {
        const pointsOf = (each: Task) =>
          rank([{ ...each, status: 'open', blockedBy: [] }], ranking).ranked[0]?.points ?? -1;
        const points = pointsOf(task);
        expect(pointsOf({ ...task, labels: [...task.labels, 'secrets'] })).toBeGreaterThanOrEqual(points);
        expect(pointsOf({ ...task, blocks: [...task.blocks, { id: 'Z', status: 'open' }] })).toBeGreaterThanOrEqual(
          points,
        );
        expect(pointsOf({ ...task, priority: 'critical' })).toBeGreaterThanOrEqual(points);
      }),
    );
  });

  test.each<[string, Partial<Task>, string]>([
    [
      'infrastructure that qa waits for',
      { title: 'Fix the pipeline', blocks: [{ id: 'A', team: 'qa', status: 'open' }] },
      'blocker',
    ],
    ['what qa waits for and is no infrastructure', { blocks: [{ id: 'A', team: 'qa', status: 'open' }] }, 'other'],
    ['a blocker of what is done', { title: 'deploy', blocks: [{ id: 'A', team: 'qa', status: 'done' }] }, 'other'],
    ['an incident', { type: 'incident' }, 'production issue'],
    [
      'vulnerabilities in production',
      { title: 'Vulnerabilities in the image', environment: 'production' },
      'production issue',
    ],
    [
      'a security vulnerability in production',
      { title: 'A security vulnerability', environment: 'production' },
      'production issue',
    ],
    ['the same in staging', { title: 'A security vulnerability', environment: 'staging' }, 'other'],
    ['an enabler of the next sprint', { type: 'Enabler', sprint: 'next' }, 'enabler'],
    ['an enabler of some day', { type: 'enabler' }, 'other'],
  ])('%s', (_what, over, wanted) => {
    expect(rank([{ ...plain, ...over }], ranking).ranked[0]?.class).toBe(wanted);
  });

  test('CI is a word of its own, deployment is deploy', () => {
    const why = (title: string) => rank([{ ...plain, title }], ranking).ranked[0]?.why.join() ?? '';
    expect(why('A special capital')).not.toContain('CI');
    expect(why('the ci build')).toContain('names CI');
    expect(why('Deployments are slow')).toContain('names deploy');
  });
});

describe('the format of a story (H3)', () => {
  test.each([
    'As a developer, I need zero-downtime deployments so that I can ship features confidently',
    'As a developer, I need Redis for real-time features so that we can implement pub/sub messaging.',
    '"As a developer, I need faster CI builds, so that I can iterate more quickly"',
  ])('%s', (story) => expect(storyFaults(story)).toEqual([]));

  test.each([
    ['', ['it is empty']],
    [
      'As a developer, I need [infrastructure], so that [capability]',
      ['what is needed: a placeholder stands there', 'what it makes possible: a placeholder stands there'],
    ],
    ['As a developer, I need caches', ['what it makes possible: "so that" and the capability']],
    [
      'As a manager, I need caches, so that builds are quick',
      ['a developer as the one who needs it: "As a developer,"'],
    ],
    [
      'As a developer, I need x, so that y',
      ['what is needed: too little is said', 'what it makes possible: too little is said'],
    ],
  ])('%s', (story, lacks) => expect(storyFaults(story)).toEqual(lacks));
});
