import { HoldpointError } from '../../core/errors.ts';
import type { TaskSettings } from './client.ts';
import { ask, shaped, type Queue } from './http.ts';
import type { TasksPort } from './port.ts';
import { page, task, taskId } from './shapes.ts';

export function notConfigured(): HoldpointError {
  return new HoldpointError('unavailable', 'No task queue is configured.', {
    hint: 'The operator sets BATTRA_API_BASE and BATTRA_API_KEY (or tasks.url and tasks.key); docs/tasks.md.',
  });
}

/** The queue itself, over HTTP. */
export function createQueue(settings: TaskSettings): Omit<TasksPort, 'ranking'> {
  function queue(): Queue {
    const { url, key, limit = 10_000 } = settings;
    if (url !== undefined && key !== undefined) return { url, key, limit };
    throw notConfigured();
  }

  const pathOf = (id: string, act = '') => {
    if (taskId.test(id)) return `/tasks/${encodeURIComponent(id)}${act}`;
    throw new HoldpointError('invalid_input', `"${id.slice(0, 80)}" is no id of a task.`, {
      hint: 'The action list shows the ids.',
    });
  };

  return {
    async list({ limit, ...filter }, call) {
      const query = { ...filter, limit: limit === undefined ? undefined : String(limit) };
      const { value } = await ask(queue(), { method: 'GET', path: '/tasks', query }, call);
      const { tasks, nextCursor } = shaped(page, value);
      return { tasks, ...(nextCursor ? { cursor: nextCursor } : {}) };
    },
    async get(id, call) {
      const { value, etag } = await ask(queue(), { method: 'GET', path: pathOf(id) }, call);
      const found = shaped(task, value);
      if (found.id !== id) throw new HoldpointError('upstream', 'The task queue answered with another task.');
      return { task: found, etag };
    },
    async claim(id, etag, call) {
      const { value } = await ask(queue(), { method: 'POST', path: pathOf(id, '/claim'), body: {}, etag }, call);
      return shaped(task, value);
    },
    async complete(id, etag, note, call) {
      const body = note === undefined ? {} : { note };
      const { value } = await ask(queue(), { method: 'POST', path: pathOf(id, '/complete'), body, etag }, call);
      return shaped(task, value);
    },
    async comment(id, text, call) {
      await ask(queue(), { method: 'POST', path: pathOf(id, '/comments'), body: { text } }, call);
    },
  };
}
