import { failed, type Check, type Context, type Finding } from './check.ts';
import { get } from './http.ts';
import { ruling } from './policy.ts';

const what = 'tasks';

export const tasks: Check = { what, run: async (context) => [await check(context)] };

async function check(context: Context): Promise<Finding> {
  const { url, key } = context.config.tasks;
  const fix = 'Set BATTRA_API_BASE and BATTRA_API_KEY.';
  if (url === undefined && key === undefined) return { level: 'off', what, detail: 'not configured', fix };
  if (url === undefined || key === undefined)
    return { level: 'fail', what, detail: 'one of address and key is missing', fix };
  try {
    const { status, json } = await get(`${url}/tasks?limit=1`, { token: key, signal: context.signal });
    if (status === 401 || status === 403)
      return {
        level: 'fail',
        what,
        detail: `${url} does not accept the key`,
        fix: 'Set BATTRA_API_KEY to a key that is good.',
      };
    const isQueue = typeof json === 'object' && json !== null && 'tasks' in json;
    if (status !== 200 || !isQueue)
      return {
        level: 'fail',
        what,
        detail: `${url} does not answer as a task queue (HTTP ${status})`,
        fix: 'Set BATTRA_API_BASE to the address of an API as docs/tasks-openapi.yaml has it.',
      };
    const target = { kind: 'task', id: 'any task', at: { host: new URL(url).hostname } } as const;
    return {
      level: 'ok',
      what,
      detail: ruling(context, { read: { tool: 'tasks', target }, write: { tool: 'tasks', target } }),
    };
  } catch (thrown) {
    if (context.signal.aborted) throw thrown;
    return failed(what, thrown, 'fail', 'Check the address, and that the queue is up.');
  }
}
