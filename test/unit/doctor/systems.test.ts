import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { KubernetesApi } from '../../../src/adapters/kubernetes/api.ts';
import { readFacts } from '../../../src/config/facts.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import { runChecks } from '../../../src/doctor/check.ts';
import { examine } from '../../../src/doctor/doctor.ts';
import { kubernetesOver } from '../../../src/doctor/kubernetes.ts';
import { checkRules } from '../../../src/doctor/policy.ts';
import { loadRegistry } from '../../../src/server/registry.ts';
import { about, newPatient, standIn, type Patient } from './kit.ts';

let patient: Patient;
let open: Awaited<ReturnType<typeof standIn>>[] = [];
beforeEach(() => {
  patient = newPatient();
});
afterEach(async () => {
  await Promise.all(open.map(({ close }) => close()));
  open = [];
  patient.remove();
});

async function serve(...args: Parameters<typeof standIn>) {
  const made = await standIn(...args);
  open.push(made);
  return made;
}

const TOKEN = 'not-to-be-seen-anywhere';

describe('monitoring (stand-in servers)', () => {
  test('versions, and what the policy says (A5)', async () => {
    const prometheus = await serve({ '/-/ready': 'Ready', '/api/v1/status/buildinfo': { data: { version: '3.7.0' } } });
    const alertmanager = await serve({ '/-/ready': 'OK', '/api/v2/status': { versionInfo: { version: '0.30.1' } } });
    const grafana = await serve({ '/api/health': { version: '12.3.0' }, '/api/org': { id: 1 } });
    const findings = await examine(
      patient.config(
        {},
        {
          PROMETHEUS_URL: prometheus.url,
          ALERTMANAGER_URL: alertmanager.url,
          GRAFANA_URL: grafana.url,
          GRAFANA_TOKEN: TOKEN,
        },
      ),
    );
    expect(about(findings, 'prometheus')).toMatchObject({
      level: 'ok',
      detail: expect.stringMatching(/^3\.7\.0; development: reading/),
    });
    expect(about(findings, 'alertmanager').detail).toMatch(/^0\.30\.1;/);
    expect(about(findings, 'grafana').detail).toMatch(/^12\.3\.0;/);
    expect(grafana.asked[0]?.headers['authorization']).toBe(`Bearer ${TOKEN}`);
    expect(prometheus.asked[0]?.headers['x-request-id']).toMatch(/^[\w-]{36}$/);
    expect(prometheus.asked[0]?.headers['authorization']).toBeUndefined();
    expect(JSON.stringify(findings)).not.toContain(TOKEN);
  });

  test('not ready, not there, and a token that is not taken (A5)', async () => {
    const prometheus = await serve({ '/-/ready': 'starting', '/api/v1/status/buildinfo': {} }, { status: 503 });
    const grafana = await serve({ '/api/health': { version: '12.3.0' } });
    const gone = await standIn({});
    await gone.close();
    const refusing = await serve({ '/api/org': {} }, { status: 401 });
    const env = { PROMETHEUS_URL: prometheus.url, ALERTMANAGER_URL: gone.url, GRAFANA_URL: grafana.url };
    const findings = await examine(patient.config({}, env));
    expect(about(findings, 'prometheus')).toMatchObject({ level: 'fail', detail: expect.stringContaining('503') });
    expect(about(findings, 'alertmanager')).toMatchObject({
      level: 'fail',
      detail: expect.stringContaining('ECONNREFUSED'),
    });
    expect(about(findings, 'grafana').level).toBe('ok');
    const again = await examine(patient.config({}, { GRAFANA_URL: refusing.url, GRAFANA_TOKEN: TOKEN }));
    expect(about(again, 'grafana').level).toBe('fail');
  });

  test('what a system says of itself is short and one line', async () => {
    const version = `1\n\u001B[31m${'x'.repeat(500)}`;
    const prometheus = await serve({ '/-/ready': 'Ready', '/api/v1/status/buildinfo': { data: { version } } });
    const { detail } = about(await examine(patient.config({}, { PROMETHEUS_URL: prometheus.url })), 'prometheus');
    expect(detail).not.toMatch(/\p{Cc}/u);
    expect(detail.length).toBeLessThan(250);
  });
});

describe('GitHub (a stand-in server)', () => {
  const repository = { default_branch: 'main', permissions: { admin: false, push: true, pull: true } };
  const settings = (url: string) => ({ GITHUB_API_URL: url, GH_TOKEN: TOKEN, GITHUB_REPOSITORY: 'ann/api' });

  test('the token’s scopes, the repository, and what a dispatch there would be (A5)', async () => {
    const github = await serve(
      { '/rate_limit': {}, '/repos/ann/api': repository },
      { headers: { 'x-oauth-scopes': 'repo, workflow' } },
    );
    const findings = await examine(patient.config({}, settings(github.url)));
    expect(about(findings, 'github').detail).toContain('scopes: repo, workflow');
    expect(about(findings, 'github repository')).toMatchObject({
      level: 'ok',
      detail: expect.stringMatching(/^ann\/api, rights: push; main is production: changing (held|denied)/),
    });
    expect(JSON.stringify(findings)).not.toContain(TOKEN);
  });

  test('a token that is not accepted, a repository that is not there, a server that is not (A5)', async () => {
    const refusing = await serve({ '/rate_limit': {} }, { status: 401 });
    expect(about(await examine(patient.config({}, settings(refusing.url))), 'github')).toMatchObject({
      level: 'fail',
      detail: expect.stringContaining('does not accept the token'),
    });
    const empty = await serve({ '/rate_limit': {} });
    expect(about(await examine(patient.config({}, settings(empty.url))), 'github repository')).toMatchObject({
      level: 'fail',
    });
    const gone = await standIn({});
    await gone.close();
    expect(about(await examine(patient.config({}, settings(gone.url))), 'github').detail).toContain(
      'cannot be reached',
    );
  });
});

describe('Docker (a stand-in socket)', () => {
  test('an Engine, and what the policy says of it (A5)', async () => {
    const socket = join(patient.home, 'docker.sock');
    await serve({ '/version': { Version: '29.1.0' } }, { where: socket });
    expect(about(await examine(patient.config({}, { DOCKER_HOST: `unix://${socket}` })), 'docker')).toMatchObject({
      level: 'ok',
      detail: 'Engine 29.1.0; local is development: changing allowed',
    });
  });

  test('one that was named and is not there is a fault; so is an address of another kind (A5)', async () => {
    expect(about(await examine(patient.config()), 'docker')).toMatchObject({
      level: 'fail',
      fix: expect.stringContaining('DOCKER_HOST'),
    });
    expect(about(await examine(patient.config({}, { DOCKER_HOST: 'ssh://x' })), 'docker').level).toBe('fail');
  });
});

describe('Kubernetes (an API in memory)', () => {
  const api: KubernetesApi = {
    json: ({ context }) =>
      context === 'prod-eu'
        ? Promise.resolve({ gitVersion: 'v1.34.2' })
        : Promise.reject(new HoldpointError('unavailable', 'It is stopped.', { hint: 'Start it.' })),
    text: () => Promise.resolve({ text: '', cut: false }),
    verifiesTls: () => Promise.resolve(true),
  };

  test('each context: version or what is wrong, its environment, and what the policy says (A5)', async () => {
    const config = patient.config();
    const registry = await loadRegistry();
    const read = await readFacts(config);
    const contexts = {
      'prod-eu': { cluster: 'prod-eu', namespace: 'default' },
      'kind-dev': { cluster: 'kind-dev', namespace: 'dev' },
    };
    const facts = { ...read, kubernetes: { current: 'kind-dev', contexts } };
    const { policy } = await checkRules(config, registry, facts);
    const findings = await runChecks([kubernetesOver(() => api)], { config, facts, registry, policy });
    expect(findings.map(({ what }) => what)).toEqual(['kubernetes kind-dev', 'kubernetes prod-eu']);
    expect(about(findings, 'kubernetes prod-eu')).toEqual({
      level: 'ok',
      what: 'kubernetes prod-eu',
      detail: 'v1.34.2; default is production: reading allowed, changing held',
    });
    expect(about(findings, 'kubernetes kind-dev')).toEqual({
      level: 'warn',
      what: 'kubernetes kind-dev',
      detail: 'It is stopped. dev is development: reading allowed, changing allowed',
      fix: 'Start it.',
    });
  });
});

describe('the address of HTTP', () => {
  test('free, ours, or taken (A5)', async () => {
    const gone = await standIn({});
    await gone.close();
    const at = (url: string) => ({ http: new URL(url).host });
    expect(about(await examine(patient.config(at(gone.url))), 'http')).toMatchObject({
      level: 'ok',
      detail: expect.stringContaining('is free'),
    });
    const ours = await serve({ '/health': { status: 'ok' } });
    expect(about(await examine(patient.config(at(ours.url))), 'http').detail).toContain('Holdpoint serves');
    const other = await serve({});
    expect(about(await examine(patient.config(at(other.url))), 'http')).toMatchObject({ level: 'fail' });
  });

  test('for others to reach without a token (A3, A5)', async () => {
    expect(about(await examine(patient.config({ http: '0.0.0.0:7117' })), 'http')).toMatchObject({
      level: 'fail',
      fix: expect.stringContaining('HOLDPOINT_TOKEN'),
    });
  });
});
