import type { QueueTask } from './tasks-server.ts';

const base = { status: 'open', assignee: null } as const;

/** A queue of a team, with one task of every sort that is ranked. */
export const SAMPLE_TASKS: readonly QueueTask[] = [
  {
    ...base,
    id: 'T-1',
    title: 'Redis for real-time features',
    type: 'enabler',
    story: 'As a developer, I need Redis for real-time features, so that we can implement pub/sub messaging',
    labels: ['infrastructure'],
    stakeholders: ['developers'],
    sprint: 'next',
    priority: 'medium',
    createdAt: '2026-11-02T09:00:00Z',
  },
  {
    ...base,
    id: 'T-2',
    title: 'Deployment to production failed twice',
    type: 'incident',
    labels: ['deploy'],
    environment: 'production',
    priority: 'critical',
    createdAt: '2026-11-20T09:00:00Z',
  },
  {
    ...base,
    id: 'T-3',
    title: 'Database migrations fail in CI',
    type: 'bug',
    description: 'The pipeline stops at sqlx migrate run.',
    labels: ['CI', 'database'],
    blocks: [
      { id: 'T-7', team: 'qa', status: 'open' },
      { id: 'T-8', team: 'dev', status: 'open' },
    ],
    createdAt: '2026-11-10T09:00:00Z',
  },
  {
    ...base,
    id: 'T-4',
    title: 'Rename a colour in the settings page',
    type: 'feature',
    createdAt: '2026-11-01T09:00:00Z',
  },
  {
    ...base,
    id: 'T-5',
    title: 'Rotate the secrets of staging',
    type: 'enabler',
    labels: ['secrets'],
    status: 'claimed',
    assignee: 'another-agent',
    createdAt: '2026-11-03T09:00:00Z',
  },
  {
    ...base,
    id: 'T-6',
    title: 'Monitoring for the new service',
    type: 'enabler',
    labels: ['monitoring'],
    blockedBy: [{ id: 'T-1', team: 'devops', status: 'open' }],
    createdAt: '2026-11-04T09:00:00Z',
  },
];
