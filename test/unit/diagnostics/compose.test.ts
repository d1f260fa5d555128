import { describe, expect, test } from 'vitest';

import { findingsOf, ids, testRules } from './rule-cases.ts';
import type { Edit } from './rule-cases.ts';

const CLEAN = `name: shop
services:
  api:
    image: registry.example.org/shop/api:1.4.2
    user: '10001:10001'
    restart: unless-stopped
    environment:
      LOG_LEVEL: info
    ports: ['127.0.0.1:8000:8000']
    healthcheck: { test: [CMD, wget, -qO-, 'http://localhost:8000/health'] }
    deploy: { resources: { limits: { memory: 512M } } }
`;
const ENVIRONMENT = '      LOG_LEVEL: info';
const PORTS = "    ports: ['127.0.0.1:8000:8000']";
const IMAGE = '    image: registry.example.org/shop/api:1.4.2';
/** More keys of the service. */
const more = (lines: string): Edit => [PORTS, `${PORTS}\n${lines}`];
const volume = (written: string): Edit => more(`    volumes:\n      - data:/data\n      - ${written}`);

testRules('compose', 'docker-compose.yml', CLEAN, [
  {
    rule: 'compose-version-key',
    bad: ['name: shop', "version: '3.8'"],
    good: ['name: shop', 'x-version: 3'],
    at: 'version',
  },
  {
    rule: 'latest-image',
    bad: [IMAGE, '    image: nginx:latest'],
    good: [IMAGE, '    image: nginx:${TAG}'],
    at: 'image',
  },
  {
    rule: 'latest-image',
    bad: [IMAGE, '    image: host:5000/nginx'],
    good: [IMAGE, '    image: api\n    build: .'],
    at: 'image',
  },
  { rule: 'privileged', bad: more('    privileged: true'), good: more('    privileged: false'), at: 'privileged' },
  {
    rule: 'host-namespace',
    bad: more('    network_mode: host'),
    good: more('    network_mode: none'),
    at: 'network_mode',
  },
  { rule: 'host-namespace', bad: more('    pid: "host"'), good: more('    pid: "service:api"'), at: 'pid' },
  {
    rule: 'docker-socket',
    bad: volume('/var/run/docker.sock:/var/run/docker.sock:ro'),
    good: volume('./sock:/sock'),
    at: 'docker.sock',
  },
  { rule: 'host-mount', bad: volume('/:/host'), good: volume('/srv/shop/data:/data'), at: '/host' },
  { rule: 'host-mount', bad: volume('~/.ssh:/root/.ssh:ro'), good: volume('./.env.example:/app/.env'), at: '.ssh' },
  {
    rule: 'host-mount',
    bad: volume('{ type: bind, source: /etc, target: /e }'),
    good: volume('{ type: volume, source: etc, target: /e }'),
    at: '/etc',
  },
  {
    rule: 'inline-secret',
    bad: [ENVIRONMENT, '      POSTGRES_PASSWORD: planted'],
    good: [ENVIRONMENT, '      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?}'],
    at: 'PASSWORD',
  },
  {
    rule: 'inline-secret',
    bad: [ENVIRONMENT, '      - API_KEY=planted'],
    good: [ENVIRONMENT, '      - API_KEY'],
    at: 'API_KEY',
  },
  {
    rule: 'inline-secret',
    bad: [ENVIRONMENT, '      API_KEY: ${API_KEY:-planted}'],
    good: [ENVIRONMENT, '      API_KEY: ${API_KEY:-}'],
    at: 'API_KEY',
  },
  {
    rule: 'inline-secret',
    bad: [ENVIRONMENT, '      DATABASE_URL: postgres://app:planted@db/app'],
    good: [ENVIRONMENT, '      DATABASE_URL: postgres://app:${PASSWORD}@db/app'],
    at: 'DATABASE_URL',
  },
  {
    rule: 'inline-secret',
    bad: more('    build:\n      context: .\n      args: { NPM_TOKEN: planted }'),
    good: more('    build:\n      context: .\n      args: { NODE_ENV: planted }'),
    at: 'NPM_TOKEN',
  },
  {
    rule: 'no-healthcheck',
    bad: [CLEAN.split('\n').find((line) => line.includes('healthcheck')) ?? '', ''],
    good: ['    restart: unless-stopped', '    restart: on-failure'],
    at: 'api:',
  },
  {
    rule: 'depends-without-health',
    bad: more('    depends_on: [db, redis]'),
    good: more('    depends_on: { db: { condition: service_healthy } }'),
    at: 'depends_on',
  },
  {
    rule: 'depends-without-health',
    bad: more('    depends_on:\n      db: { condition: service_started }'),
    good: more('    depends_on: { init: { condition: service_completed_successfully } }'),
    at: 'depends_on',
  },
  {
    rule: 'open-database-port',
    bad: [PORTS, '    ports:\n      - 5432:5432'],
    good: [PORTS, "    ports: ['127.0.0.1:5432:5432', '8000:8000']"],
    at: '5432',
  },
  {
    rule: 'open-database-port',
    bad: [PORTS, '    ports:\n      - 0.0.0.0:16379:6379/tcp'],
    good: [PORTS, "    ports: ['[::1]:16379:6379']"],
    at: '6379',
  },
  {
    rule: 'open-database-port',
    bad: [PORTS, '    ports:\n      - { target: 27017, published: 27017 }'],
    good: [PORTS, '    ports: [{ target: 27017, host_ip: 127.0.0.1 }]'],
    at: '27017',
  },
  {
    rule: 'no-restart-policy',
    bad: ['    restart: unless-stopped\n', ''],
    good: ['    restart: unless-stopped\n', '    restart: "no"\n'],
    at: 'api:',
  },
  {
    rule: 'no-resource-limits',
    bad: ['    deploy: { resources: { limits: { memory: 512M } } }', ''],
    good: ['    deploy: { resources: { limits: { memory: 512M } } }', '    mem_limit: 512m'],
    at: 'api:',
  },
  {
    rule: 'root-user',
    bad: ["    user: '10001:10001'", '    user: root'],
    good: ["    user: '10001:10001'", '    user: "${UID}"'],
    at: 'user:',
  },
  {
    rule: 'root-user',
    bad: ["    user: '10001:10001'\n", ''],
    good: ["    user: '10001:10001'\n", '    user: app\n'],
    at: 'api:',
  },
]);

describe('compose files as they are written (C6)', () => {
  test('anchors and merge keys count as what they stand for', () => {
    const merged = `x-base: &base
  restart: always
  user: '1000'
  mem_limit: 1g
  healthcheck: { test: [CMD, 'true'] }
services:
  a: { <<: *base, image: 'a:1' }
  b:
    <<: [*base]
    image: b:1
    privileged: true
`;
    expect(ids(findingsOf('stack.yml', merged))).toEqual(['11 privileged']);
  });

  test('a part that another file completes, or that runs once, is not blamed for what it lacks', () => {
    expect(findingsOf('compose.override.yml', 'services:\n  api:\n    ports: ["127.0.0.1:1:1"]\n')).toEqual([]);
    expect(findingsOf('compose.yml', 'services:\n  migrate:\n    image: a:1\n    restart: "no"\n')).toEqual([]);
  });

  test('what is built may have its HEALTHCHECK in the Dockerfile', () => {
    const [found] = findingsOf(
      'compose.yml',
      'services:\n  api:\n    build: .\n    user: "1"\n    restart: always\n    mem_limit: 1g\n',
    );
    expect(found).toMatchObject({ rule: 'no-healthcheck', severity: 'info' });
  });
});
