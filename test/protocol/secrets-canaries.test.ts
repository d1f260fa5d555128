import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { canaries, hits, type Canary } from '../canaries.ts';
import { bytesBelow, commandsOutput, openSession, type Session } from '../canary-session.ts';
import { holdpoint, newPlace, type Place } from '../harness.ts';

const SERVER = join(import.meta.dirname, 'canary-server.ts');

interface Planting {
  place: Place;
  planted: Canary[];
  /** What the calls' arguments have. */
  called: Canary[];
  /** Address of a server that answers with planted text. */
  upstream: string;
}

/** Plants one of every form in each source. */
async function plant(): Promise<Planting> {
  const from = Object.fromEntries(
    ['files', 'cluster', 'engine', 'upstream', 'calls'].map((source) => [source, canaries(source)]),
  ) as Record<'files' | 'cluster' | 'engine' | 'upstream' | 'calls', Canary[]>;
  const known = canaries('environment')
    .slice(0, 12)
    .map((canary, at) => ({ ...canary, form: `environment: variable ${at}`, text: canary.value }));
  const upstream = await serve(from.upstream, known);
  const place = newPlace({
    ...Object.fromEntries(
      known.map(({ value }, at) => [
        at % 2 ? `CANARY_${at}_TOKEN` : `CANARY_${at}_URL`,
        at % 2 ? value : `amqp://app:${value}@mq`,
      ]),
    ),
    PROMETHEUS_URL: upstream,
    ALERTMANAGER_URL: upstream,
  });
  onTestFinished(place.remove);
  const at = (path: string) => join(place.workspace, path);
  const third = Math.ceil(from.files.length / 3);
  const text = (part: number) =>
    `${from.files
      .slice(part * third, (part + 1) * third)
      .map((each) => each.text)
      .join('\n')}\n`;
  writeFileSync(at('kubernetes/planted.yaml'), text(0));
  writeFileSync(at('docker/planted.yml'), text(1));
  writeFileSync(
    at('docker/leak.Dockerfile'),
    `FROM scratch\n${from.files.map((each) => `LABEL x=y # ${each.text.replaceAll('\n', ' ')}`).join('\n')}\n`,
  );
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: at('.'),
      stdio: 'ignore',
    });
  git('init', '-q');
  git('add', '-A');
  git('commit', '-qm', 'before');
  writeFileSync(at('kubernetes/deployment.yaml'), text(2));
  git('commit', '-qam', `after\n\n${from.files.map((each) => each.text).join('\n')}`);
  writeFileSync(at('docker/planted.yml'), text(2));
  const list = join(place.workspace, '..', 'planted.json');
  writeFileSync(list, JSON.stringify(from));
  place.env['HOLDPOINT_TEST_PLANTED'] = list;
  // What only calls had must not be found either; it is planted nowhere else.
  return { place, planted: [...Object.values(from).flat(), ...known], called: from.calls, upstream };
}

/** Pages, Prometheus and Alertmanager, with the texts in bodies, labels, errors; and the known values in every spelling. */
async function serve(planted: Canary[], known: Canary[]): Promise<string> {
  const spelled = known.flatMap(({ value }, at) => [
    value,
    Buffer.from(`${'x'.repeat(at % 3)}${value}y`).toString('base64'),
    Buffer.from(`${'x'.repeat(at % 3)}${value}y`).toString('base64url'),
    Buffer.from(`${'x'.repeat(30 + at)}${value}${'y'.repeat(30)}`)
      .toString('base64')
      .replace(/(.{20})/g, '$1\n'),
    encodeURIComponent(value),
    Buffer.from(value).toString('hex'),
  ]);
  const text = [...planted.map((each) => each.text), ...spelled].join('\n');
  const series = planted.map((each, at) => ({
    metric: { __name__: 'up', job: `j${at}`, note: each.text.replaceAll('\n', ' '), password: each.value },
    value: [1, '1'],
    values: [[1, '1']],
  }));
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://x');
    response.setHeader('Server', planted[0]?.text ?? '');
    if (pathname === '/page') return void response.setHeader('Content-Type', 'text/html').end(`<pre>${text}</pre>`);
    if (pathname === '/text') return void response.setHeader('Content-Type', 'text/plain').end(text);
    response.setHeader('Content-Type', 'application/json');
    if (pathname === '/api/v1/query_range' || pathname === '/api/v1/query') {
      const broken = decodeURIComponent(request.url ?? '').includes('broken');
      if (broken) response.statusCode = 422;
      return void response.end(
        JSON.stringify(
          broken
            ? { status: 'error', errorType: 'execution', error: text }
            : { status: 'success', warnings: [text], data: { resultType: 'matrix', result: series } },
        ),
      );
    }
    if (pathname === '/api/v2/alerts')
      return void response.end(
        JSON.stringify(
          planted.map((each, at) => ({
            labels: { alertname: `a${at}`, token: each.value },
            annotations: { summary: each.text, description: each.text },
            startsAt: '2026-01-01T00:00:00Z',
            endsAt: '2026-01-02T00:00:00Z',
            updatedAt: '2026-01-01T00:00:00Z',
            fingerprint: `${at}`,
            generatorURL: each.text,
            receivers: [{ name: 'x' }],
            status: { state: 'active', silencedBy: [], inhibitedBy: [], mutedBy: [] },
          })),
        ),
      );
    response.statusCode = 500;
    return void response.end(JSON.stringify({ message: text, error: text }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Everything an agent can look at, and every way to get an argument quoted back. */
async function callEverything(
  session: Session,
  { called, upstream, place }: Planting,
): Promise<{ statuses: string[]; held: string[] }> {
  const held: string[] = [];
  const statuses: string[] = [];
  const call = async (tool: string, args: Record<string, unknown>) => {
    const envelope = await session
      .call(tool, args)
      .catch((error: Error) => ({ status: `refused: ${error.message.slice(0, 60)}` }) as never);
    statuses.push(`${tool} ${envelope.status}`);
    if (envelope.approval) held.push(envelope.approval.id);
    return envelope;
  };
  const staging = { namespace: 'tta-staging' };
  for (const path of [
    'kubernetes/planted.yaml',
    'docker/planted.yml',
    'kubernetes/deployment.yaml',
    'docker/leak.Dockerfile',
  ])
    await call('view', { path });
  await call('codebase-retrieval', { query: '/./' });
  await call('diagnostics', {});
  for (const args of [
    ['diff'],
    ['diff', '--', 'docker/planted.yml'],
    ['log', '-1'],
    ['show', 'HEAD'],
    ['show', 'HEAD', '--', 'kubernetes/deployment.yaml'],
  ])
    await call('launch-process', { program: 'git', args });
  await call('git', { action: 'diff' });
  await call('git', { action: 'log' });
  for (const show of ['containers', 'images', 'disk', 'stats', 'events']) await call('docker-get', { show });
  for (const show of ['inspect', 'logs']) await call('docker-get', { show, name: 'api' });
  await call('docker-build', { context: 'docker', dockerfile: 'docker/leak.Dockerfile', tags: ['leak:1'] });
  for (const kind of ['secret', 'configmap', 'statefulset'])
    await call('kubectl-get', { kind, name: 'planted', ...staging });
  for (const kind of ['pods', 'secrets', 'events', 'configmaps', 'deployments'])
    await call('kubectl-get', { kind, ...staging });
  await call('kubectl-get', { kind: 'pod', show: 'events', ...staging, limit: 100 });
  await call('kubectl-get', { kind: 'deployment', name: 'tta-api', show: 'logs', ...staging });
  await call('kubectl-rollout', { action: 'restart', kind: 'deployment', name: 'tta-api', ...staging });
  await call('kubectl-rollout', { action: 'restart', kind: 'deployment', name: 'tta-api', namespace: 'tta-prod' });
  for (const path of ['/page', '/text', '/fails']) await call('web-fetch', { url: `${upstream}${path}` });
  for (const query of ['up', 'broken']) await call('grafana-query', { query });
  await call('alerts', { action: 'list' });
  for (const { text } of called) {
    await call('view', { path: text.slice(0, 200) });
    await call('web-fetch', { url: `${upstream}/?q=${encodeURIComponent(text)}` });
    await call('launch-process', { program: 'git', args: ['log', '--grep', text] });
  }
  const [first, second, third] = called;
  await call('view', { [first?.text ?? '']: second?.text });
  await call(`no-such ${first?.text}`, {});
  await call('use-tool', { name: `x ${second?.text}`, arguments: { a: third?.text } });
  await call('find-tools', { query: third?.text });
  await call('approval', { action: 'status', id: first?.text });
  await call('gh-workflow-run', {
    workflow: 'x.yml',
    inputs: Object.fromEntries(called.slice(0, 20).map(({ text }, at) => [`in${at}`, text])),
  });
  await call('docker-build', { context: 'docker', tags: ['x:1'], buildArgs: { A: first?.text, TOKEN: second?.value } });
  await call('save-file', {
    path: `docker/made-${statuses.length}.yml`,
    content: called.map(({ text }) => text).join('\n'),
  });
  await call('str-replace-editor', { path: 'docker/planted.yml', oldText: 'no such', newText: first?.text });
  await call('save-file', {
    path: 'kubernetes/planted.yaml',
    content: called.map(({ text }) => text).join('\n'),
    dryRun: true,
  });
  await call('remove-files', { paths: ['kubernetes/planted.yaml'] });
  const last = held.at(-1);
  if (last) {
    await holdpoint(
      place,
      'approvals',
      'approve',
      last,
      '--as',
      'ann',
      '--yes',
      '--reason',
      `because ${called[20]?.text}`,
    );
    for (const action of ['status', 'run', 'status']) await call('approval', { action, id: last });
  }
  return { statuses, held };
}

describe('planted secrets (C3)', () => {
  test('the search finds a planted one in every form, so that finding none means something', () => {
    for (const canary of canaries('search')) {
      const { value } = canary;
      for (const text of [
        canary.text,
        value,
        Buffer.from(`ab${value}`).toString('base64'),
        Buffer.from(`a${value}`).toString('base64url'),
        Buffer.from(`xyz${value}${'z'.repeat(40)}`)
          .toString('base64')
          .replace(/(.{8})/g, '$1\n'),
        encodeURIComponent(value),
        Buffer.from(value).toString('hex').toUpperCase(),
      ])
        expect(hits(Buffer.from(`before ${text} after`), [canary]), `${canary.form}: ${text}`).not.toEqual([]);
      expect(hits(Buffer.from('nothing here'), [canary])).toEqual([]);
    }
  });

  test.each(['stdio', 'http'] as const)(
    '0 of 300 leave over %s, by any command, or lie in the state directory',
    { timeout: 240_000 },
    async (transport) => {
      const planting = await plant();
      const { place, planted } = planting;
      expect(planted.length).toBeGreaterThanOrEqual(300);
      expect(new Set(planted.map(({ value }) => value)).size).toBe(planted.length);
      await holdpoint(place, 'approver', 'add', 'ann');
      const session = await openSession(transport, place, SERVER);
      const { statuses, held } = await callEverything(session, planting);
      const left = session.left();
      await session.close();
      const commands = await commandsOutput(place, held);
      const state = bytesBelow(place.state);
      for (const [n, b] of Object.entries({ left, commands, state })) writeFileSync(`/tmp/sl/${n}`, b);

      // The places were reached: what is beside the secrets was seen.
      expect(held.length).toBeGreaterThanOrEqual(2);
      expect(statuses.filter((status) => status.endsWith(' done')).length).toBeGreaterThan(30);
      for (const bytes of [left, session.left(), commands, state]) expect(bytes.length).toBeGreaterThan(10_000);
      for (const key of ['DB_PASSWORD', 'clientSecret', '[redacted]', 'access_token'])
        expect(left.includes(key), key).toBe(true);
      expect(hits(left, planted)).toEqual([]);
      expect(hits(session.left(), planted)).toEqual([]);
      expect(hits(commands, planted)).toEqual([]);
      expect(hits(state, planted)).toEqual([]);
      // The same search over the same bytes with one of them let in.
      const one = planted[7] as Canary;
      expect(hits(Buffer.concat([left, Buffer.from(Buffer.from(one.value).toString('base64'))]), planted)).not.toEqual(
        [],
      );
    },
  );
});
