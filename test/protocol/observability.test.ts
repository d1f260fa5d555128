import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, onTestFinished, test } from 'vitest';

import { holdpoint, newPlace, overHttp, ROOT, serverArgs, startHttp, type Place } from '../harness.ts';

interface SentSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  attributes: { key: string; value: Record<string, unknown> }[];
}

/** Takes OTLP as a collector would. */
async function collector(): Promise<{ url: string; spans: SentSpan[] }> {
  const spans: SentSpan[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { resourceSpans } = JSON.parse(text) as { resourceSpans: { scopeSpans: { spans: SentSpan[] }[] }[] };
      spans.push(...resourceSpans.flatMap((each) => each.scopeSpans.flatMap((scope) => scope.spans)));
      response.end('{}');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans };
}

/** One call over stdio; the server ends when its input does. */
async function callOnce(place: Place, meta: object): Promise<{ result: Record<string, unknown>; log: string }> {
  const child = spawn(process.execPath, serverArgs(place, ['--stdio']), { env: place.env, cwd: ROOT });
  let out = '';
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    if (out.includes('"id":2')) child.stdin.end();
  });
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const clientInfo = { name: 'observer', version: '1' };
  const call = { name: 'view', arguments: { path: 'kubernetes/deployment.yaml' }, _meta: meta };
  for (const message of [
    { id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo } },
    { method: 'notifications/initialized' },
    { id: 2, method: 'tools/call', params: call },
  ])
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  await new Promise((done) => child.once('exit', done));
  const line = out.split('\n').find((each) => each.includes('"id":2')) ?? '{}';
  return { result: (JSON.parse(line) as { result: Record<string, unknown> }).result, log };
}

describe('one id through everything (A4)', () => {
  test('a call has the same id in its result, the log, the audit log and its span, which continues the client’s', async () => {
    const { url, spans } = await collector();
    const place = newPlace({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    onTestFinished(place.remove);
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const { result, log } = await callOnce(place, { traceparent: `00-${traceId}-00f067aa0ba902b7-01` });

    const callId = (result['_meta'] as Record<string, string>)['holdpoint/callId'];
    expect(callId).toMatch(/^[\da-f-]{36}$/);
    const logged = log.split('\n').filter((line) => line.includes('"msg":"call"'));
    expect(logged.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ callId, tool: 'view', status: 'done' }),
    ]);
    const { stdout } = await holdpoint(place, 'audit', 'tail', '--json', '--about', callId ?? '');
    const kinds = (JSON.parse(stdout) as { kind: string }[]).map(({ kind }) => kind);
    expect(kinds).toEqual(['received', 'opened', 'closed']);

    const call = spans.find(({ name }) => name === 'tools/call view');
    expect(call).toMatchObject({ traceId, parentSpanId: '00f067aa0ba902b7' });
    const attributes = Object.fromEntries(
      call?.attributes.map(({ key, value }) => [key, Object.values(value)[0]]) ?? [],
    );
    expect(attributes).toMatchObject({
      'holdpoint.call_id': callId,
      'holdpoint.status': 'done',
      'holdpoint.verdict': 'allow',
      'gen_ai.tool.name': 'view',
    });
    expect(JSON.stringify(spans)).not.toContain('deployment.yaml');
    expect(spans.filter(({ parentSpanId }) => parentSpanId === call?.spanId).map(({ name }) => name)).toEqual([
      'plan',
      'run',
    ]);
  });

  test('a traceparent that is none starts a trace of its own', async () => {
    const { url, spans } = await collector();
    const place = newPlace({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    onTestFinished(place.remove);
    await callOnce(place, { traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` });
    const call = spans.find(({ name }) => name === 'tools/call view');
    expect(call?.traceId).toMatch(/^(?!0+$)[\da-f]{32}$/);
    expect(call?.parentSpanId ?? '').toBe('');
  });

  test('a collector that is gone stops nothing', async () => {
    const place = newPlace({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_EXPORTER_OTLP_TIMEOUT: '500' });
    onTestFinished(place.remove);
    expect((await callOnce(place, {})).result['structuredContent']).toMatchObject({ status: 'done' });
  });
});

describe('series (A3, A4)', () => {
  test('calls, decisions, approvals and readiness; the dashboard and the alert rules name what there is', async () => {
    const place = newPlace();
    onTestFinished(place.remove);
    const server = await startHttp(place);
    onTestFinished(() => void server.stop());
    const agent = await overHttp('2.x', server.url, server.token);
    await agent.call('view', { path: 'kubernetes/deployment.yaml' });
    await agent.call('view', { path: '.env' });
    await agent.call('remove-files', { paths: ['docker/old-compose.yml'] });
    await agent.call('no-such-tool-of-anybody');
    await agent.close();
    const read = async () => (await fetch(server.url.replace('/mcp', '/metrics'))).text();
    const text = await read();
    for (const line of [
      'holdpoint_calls_total{tool="view",status="done",code=""} 1',
      'holdpoint_calls_total{tool="view",status="denied",code="denied"} 1',
      'holdpoint_calls_total{tool="unknown",status="error",code="not_found"} 1',
      'holdpoint_decisions_total{tool="view",verdict="deny",environment="none"} 1',
      'holdpoint_decisions_total{tool="remove-files",verdict="require_approval",environment="none"} 1',
      'holdpoint_approvals{state="pending"} 1',
      'holdpoint_ready 1',
    ])
      expect(text).toContain(line);
    expect(text).toMatch(/holdpoint_call_seconds_count\{tool="view"\} 2/);

    const written = [
      ...(
        parse(readFileSync(join(ROOT, 'docs/observability/alerts.yaml'), 'utf8')) as {
          groups: { rules: { expr: string }[] }[];
        }
      ).groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
      ...(
        JSON.parse(readFileSync(join(ROOT, 'docs/observability/dashboard.json'), 'utf8')) as {
          panels: { targets: { expr: string }[] }[];
        }
      ).panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ];
    const named = new Set(written.flatMap((expr) => expr.match(/\bholdpoint_\w+/g) ?? []));
    expect(named.size).toBeGreaterThan(6);
    const there = new Set(text.match(/^holdpoint_\w+/gm));
    expect([...named].filter((name) => !there.has(name))).toEqual([]);
  });
});
