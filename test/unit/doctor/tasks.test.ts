import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { examine } from '../../../src/doctor/doctor.ts';
import { KEY, startTasks, type TasksServer } from '../../tasks-server.ts';
import { about, newPatient, type Patient } from './kit.ts';

let patient: Patient;
let queue: TasksServer;
beforeEach(async () => {
  patient = newPatient();
  queue = await startTasks();
});
afterEach(async () => {
  await queue.close();
  patient.remove();
});

const look = async (env: Record<string, string>) => about(await examine(patient.config({}, env)), 'tasks');

describe('the task queue (the reference server)', () => {
  test('there, with a key that is good, one that is not, none, and another server (A5, H3)', async () => {
    expect(await look({})).toMatchObject({ level: 'off' });
    expect(await look({ BATTRA_API_BASE: queue.url })).toMatchObject({
      level: 'fail',
      detail: 'one of address and key is missing',
    });
    const good = await look({ BATTRA_API_BASE: queue.url, BATTRA_API_KEY: KEY });
    expect(good).toMatchObject({ level: 'ok', detail: expect.stringContaining('reading') as string });
    const bad = await look({ BATTRA_API_BASE: queue.url, BATTRA_API_KEY: 'a-wrong-key-1' });
    expect(bad).toMatchObject({ level: 'fail', fix: expect.stringContaining('BATTRA_API_KEY') as string });
    expect(JSON.stringify([good, bad])).not.toMatch(/battra-example-key|a-wrong-key/);
    expect(await look({ BATTRA_API_BASE: queue.url.replace('/api/v1', '/other'), BATTRA_API_KEY: KEY })).toMatchObject({
      level: 'fail',
    });
  });
});
