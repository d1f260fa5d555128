import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { createMonitoring } from '../../../src/adapters/monitoring/client.ts';
import type { Call } from '../../../src/adapters/monitoring/http.ts';
import type { System } from '../../../src/adapters/monitoring/systems.ts';
import type { Ports } from '../../../src/core/tool.ts';
import type { AnyTool } from '../../../src/core/tool.ts';
import alerts from '../../../src/tools/monitoring/alerts.ts';
import grafanaQuery from '../../../src/tools/monitoring/grafana-query.ts';
import { newBench, PRINCIPAL, type Bench } from '../server/services.ts';

/** One request that a stand-in got. */
interface Seen {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: unknown;
}

type Answer = { status?: number; headers?: Record<string, string>; body: unknown };

/** A stand-in for the three systems: recorded answers by `METHOD path`; everything else is 404. */
export interface Upstream {
  url: string;
  seen: Seen[];
  answers: Map<string, Answer | ((seen: Seen, response: ServerResponse) => Answer | undefined)>;
  /** Answers with 200 and this JSON from now on. */
  on(route: string, body: unknown, status?: number): void;
  paths(): string[];
  close(): void;
}

export async function startUpstream(): Promise<Upstream> {
  const seen: Seen[] = [];
  const answers: Upstream['answers'] = new Map();
  const server = createServer(
    (request, response) =>
      void (async () => {
        const url = new URL(request.url ?? '/', 'http://upstream');
        const body = await text(request);
        const { method = 'GET', headers } = request;
        const asked: Seen = {
          method,
          path: url.pathname,
          query: url.searchParams,
          headers,
          body: body === '' ? undefined : JSON.parse(body),
        };
        seen.push(asked);
        const found = answers.get(`${method} ${url.pathname}`) ?? { status: 404, body: { message: 'Not found' } };
        const answer = typeof found === 'function' ? found(asked, response) : found;
        if (!answer) return;
        response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
        response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
      })(),
  );
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    answers,
    on: (route, body, status = 200) => void answers.set(route, { status, body }),
    paths: () => seen.map(({ method, path }) => `${method} ${path}`),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const POLICY = `
version: 1
name: monitoring
environments:
  production: { namespaces: ['*-prod'], hosts: [monitoring.example] }
  staging: { namespaces: ['*-staging'] }
  development: { hosts: [127.0.0.1] }
rules:
  - id: operate
    decision: allow
    when: { kind: metric }
    reason: Monitoring may be operated.
    examples: [{ tool: value, targets: [{ kind: metric, id: a, effect: read, at: { namespace: a-staging } }], expect: allow }]
  - id: production
    decision: require_approval
    when: { environment: production, effect: [write, destroy] }
    reason: A person confirms production.
    examples: [{ tool: value, targets: [{ kind: metric, id: a, effect: write, at: { namespace: a-prod } }], expect: require_approval }]
  - id: billing
    decision: deny
    when: { kind: metric, id: '*Billing*' }
    reason: Not yours.
    examples: [{ tool: value, targets: [{ kind: metric, id: grafana Billing, effect: read, at: { namespace: a-staging } }], expect: deny }]
`;

/** Dispatch with both tools over stand-ins for the systems named. */
export async function monitoringBench(upstream: Upstream, ...systems: System[]): Promise<Bench> {
  const settings = Object.fromEntries(
    systems.map((system) => [system, { url: upstream.url, token: `token-${system}` }]),
  );
  const tools = [grafanaQuery, alerts] as unknown as AnyTool[];
  const bench = await newBench({
    registry: new Map(tools.map((tool) => [tool.name, tool])),
    ports: { monitoring: createMonitoring(settings) } as Ports,
    facts: {
      kubernetes: { contexts: {} },
      docker: { host: 'local' },
      github: {},
      monitoring: Object.fromEntries(systems.map((system) => [system, '127.0.0.1'])),
      programs: {},
    },
  });
  bench.setPolicy(POLICY);
  bench.approvers.add({ name: 'alice', person: PRINCIPAL.person, at: Date.now() });
  return bench;
}

/** Lets alice approve a held call; gives its id. */
export async function approve(bench: Bench, id: string): Promise<string> {
  const { digest } = await bench.services.approvals.find(id);
  const decision = { id, digest, decision: 'approve', approver: 'alice', at: Date.now(), reason: 'ok' } as const;
  await bench.services.approvals.decide(bench.approvers.sign(decision));
  return id;
}

/** A call's own part, for the adapter without dispatch. */
export const CALL: Call = { callId: 'call-7', signal: new AbortController().signal, redact: (said) => said };

/** A query_range answer: for each series its labels, and one sample a minute up to now. */
export function matrix(...series: [labels: Record<string, string>, values: (number | string)[]][]): unknown {
  const end = Math.floor(Date.now() / 60_000) * 60;
  const result = series.map(([metric, values]) => ({
    metric,
    values: values.map((value, index) => [end - (values.length - 1 - index) * 60, String(value)]),
  }));
  return { status: 'success', data: { resultType: 'matrix', result } };
}
