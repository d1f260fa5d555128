/**
 * A task queue as docs/tasks-openapi.yaml has it, in memory: for the tests, and to try the tool `tasks` with.
 *
 *   node test/tasks-server.ts --port 8000
 *   BATTRA_API_BASE=http://localhost:8000/api/v1 BATTRA_API_KEY=battra-example-key holdpoint serve …
 *
 * Every request is checked against the description, and so is every answer.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { parse } from 'yaml';

import { SAMPLE_TASKS } from './tasks-sample.ts';

const API = join(import.meta.dirname, '../docs/tasks-openapi.yaml');
export const KEY = 'battra-example-key';

export interface QueueTask {
  id: string;
  title: string;
  status: 'open' | 'claimed' | 'done' | 'cancelled';
  type: string;
  createdAt: string;
  assignee: string | null;
  story?: string;
  description?: string;
  labels?: string[];
  priority?: 'critical' | 'high' | 'medium' | 'low';
  team?: string;
  stakeholders?: string[];
  environment?: string;
  sprint?: string;
  blocks?: { id: string; team?: string; status?: QueueTask['status'] }[];
  blockedBy?: { id: string; team?: string; status?: QueueTask['status'] }[];
}

/** How the next request is answered, once. */
type Fault = (request: IncomingMessage, response: ServerResponse) => void;

export interface TasksServer {
  /** With the path, as BATTRA_API_BASE takes it. */
  url: string;
  tasks: Map<string, QueueTask>;
  comments: { task: string; by: string; text: string }[];
  /** Requests so far: method, path with query, headers. */
  seen: { method: string; path: string; headers: IncomingMessage['headers'] }[];
  /** Answers the next so many requests in this way. */
  fault(fault: Fault, times?: number): void;
  close(): Promise<void>;
}

/** Who each key is of. */
const OWNERS: Readonly<Record<string, string>> = { [KEY]: 'devops-agent', 'another-example-key': 'another-agent' };

interface Operation {
  parameters?: { name: string; in: string; schema: object }[];
  requestBody?: { content: { 'application/json': { schema: object } } };
}

interface Answer {
  status: number;
  body: unknown;
  etag?: string;
}

export async function startTasks(port = 0, tasks: readonly QueueTask[] = SAMPLE_TASKS): Promise<TasksServer> {
  const api = apiChecks();
  const store = new Map(tasks.map((task) => [task.id, structuredClone(task)]));
  const comments: TasksServer['comments'] = [];
  const seen: TasksServer['seen'] = [];
  const faults: Fault[] = [];

  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '/', 'http://tasks');
      seen.push({ method: request.method ?? '', path: url.pathname + url.search, headers: request.headers });
      const fault = faults.shift();
      if (fault) return fault(request, response);
      const body = await text(request);
      const { status, body: answer, etag } = handle(request, url, body);
      const wrong = api.answer(status, url.pathname, answer);
      if (wrong) throw new Error(`An answer breaks the description: ${wrong}`);
      const type = status < 300 ? 'application/json' : 'application/problem+json';
      response.writeHead(status, { 'content-type': type, ...(etag ? { etag } : {}) }).end(JSON.stringify(answer));
    })().catch((error: unknown) => response.destroy(error as Error));
  });

  function handle(request: IncomingMessage, url: URL, body: string): Answer {
    const owner = OWNERS[/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''];
    if (owner === undefined) return refusal(401, 'The key is not known.');
    const [, id, act] = /^\/api\/v1\/tasks(?:\/([^/]+))?(?:\/(claim|complete|comments))?$/.exec(url.pathname) ?? [
      'none',
    ];
    if (!url.pathname.startsWith('/api/v1/tasks')) return refusal(404, 'There is no such place.');
    const wrong = api.request(request.method ?? '', id, act, url, body);
    if (wrong) return refusal(400, wrong);
    if (id === undefined) return list(url.searchParams);
    const task = store.get(decodeURIComponent(id));
    if (!task) return refusal(404, 'There is no such task.');
    if (act === undefined) return one(task);
    const match = request.headers['if-match'];
    if (match !== undefined && match !== etagOf(task)) return refusal(412, 'The task moved.');
    if (act === 'comments') {
      comments.push({ task: task.id, by: owner, text: (JSON.parse(body) as { text: string }).text });
      return { status: 201, body: { id: `c-${comments.length}` } };
    }
    const waits = (task.blockedBy ?? []).some(({ status }) => status !== 'done' && status !== 'cancelled');
    if (act === 'claim') {
      if (task.status !== 'open' || waits) return refusal(409, waits ? 'It waits for others.' : 'Somebody has it.');
      Object.assign(task, { status: 'claimed', assignee: owner });
    } else {
      if (task.status !== 'claimed' || task.assignee !== owner) return refusal(409, 'It is not yours.');
      task.status = 'done';
      for (const other of store.values())
        for (const each of other.blockedBy ?? []) if (each.id === task.id) each.status = 'done';
    }
    return one(task);
  }

  function list(query: URLSearchParams): Answer {
    const from = Number(Buffer.from(query.get('cursor') ?? '', 'base64url').toString() || '0');
    const limit = Number(query.get('limit') ?? '50');
    const fits = [...store.values()].filter(
      (task) =>
        (query.get('status') ?? task.status) === task.status &&
        (query.get('type') ?? task.type) === task.type &&
        (!query.has('label') || (task.labels ?? []).includes(query.get('label') ?? '')),
    );
    const next = from + limit < fits.length ? Buffer.from(String(from + limit)).toString('base64url') : null;
    return { status: 200, body: { tasks: fits.slice(from, from + limit), nextCursor: next } };
  }

  await new Promise<void>((done) => void server.listen(port, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`,
    tasks: store,
    comments,
    seen,
    fault: (fault, times = 1) => void faults.push(...Array.from({ length: times }, () => fault)),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function one(task: QueueTask): Answer {
  return { status: 200, body: task, etag: etagOf(task) };
}

function etagOf(task: QueueTask): string {
  return `"${createHash('sha256').update(JSON.stringify(task)).digest('hex').slice(0, 16)}"`;
}

function refusal(status: number, detail: string): Answer {
  return { status, body: { type: 'about:blank', title: `HTTP ${status}`, status, detail } };
}

/** Checks of requests and answers, made from the description itself. Each gives what is wrong, or nothing. */
function apiChecks() {
  const api = parse(readFileSync(API, 'utf8')) as {
    paths: Record<string, Record<string, unknown>>;
    components: { parameters: Record<string, NonNullable<Operation['parameters']>[number]> };
  };
  const ajv = new Ajv2020({
    strict: false,
    coerceTypes: true,
    formats: { 'date-time': /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/ },
  });
  ajv.addSchema(api, 'api');
  const inApi = (schema: object): ValidateFunction =>
    ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"api#/components')) as object);
  const named = (name: string) => inApi({ $ref: `#/components/schemas/${name}` });
  const [task, page, problem, id] = ['Task', 'Page', 'Problem', 'Id'].map(named) as [
    ValidateFunction,
    ValidateFunction,
    ValidateFunction,
    ValidateFunction,
  ];
  const said = (check: ValidateFunction, what: string) => `${what}: ${ajv.errorsText(check.errors)}`;
  return {
    request(
      method: string,
      taskId: string | undefined,
      act: string | undefined,
      url: URL,
      body: string,
    ): string | undefined {
      const path = `/tasks${taskId === undefined ? '' : '/{id}'}${act === undefined ? '' : `/${act}`}`;
      const operation = api.paths[path]?.[method.toLowerCase()] as Operation | undefined;
      if (!operation) return `There is no ${method} ${path}.`;
      if (taskId !== undefined && !id(decodeURIComponent(taskId))) return said(id, 'id');
      const known = (operation.parameters ?? []).filter((each) => each.in === 'query');
      for (const [name, value] of url.searchParams) {
        const parameter = known.find((each) => each.name === name);
        if (!parameter) return `There is no parameter ${name}.`;
        const check = inApi({ type: 'object', properties: { value: parameter.schema } });
        if (!check({ value })) return said(check, name);
      }
      const schema = operation.requestBody?.content['application/json'].schema;
      if (!schema) return body === '' ? undefined : 'There is no body here.';
      const check = inApi(schema);
      let value: unknown;
      try {
        value = JSON.parse(body);
      } catch {
        return 'The body is not JSON.';
      }
      return check(value) ? undefined : said(check, 'body');
    },
    answer(status: number, path: string, value: unknown): string | undefined {
      const check = status >= 400 ? problem : status === 201 ? undefined : path.endsWith('/tasks') ? page : task;
      return check && !check(structuredClone(value)) ? said(check, `${status} of ${path}`) : undefined;
    },
  };
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '8000' } } });
  const { url } = await startTasks(Number(values.port));
  process.stdout.write(`BATTRA_API_BASE=${url} BATTRA_API_KEY=${KEY}\n`);
}
