import { describe, expect, test } from 'vitest';

import { COMMIT, edited, findingsOf, ids, testRules } from './rule-cases.ts';
import type { Edit } from './rule-cases.ts';

const CLEAN = `name: CI
on:
  push: { branches: [main] }
  pull_request:
permissions: { contents: read }
concurrency: ci
jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    steps:
      - uses: actions/checkout@${COMMIT}
      - run: uv run pytest tests/
  build:
    needs: test
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    steps:
      - run: docker build -t api .
  ship:
    needs: [build]
    environment: production
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    steps:
      - run: kubectl set image deployment/api api=api:1 -n shop-production
`;
const WORKFLOW = '.github/workflows/ci.yml';
const TESTS = '      - run: uv run pytest tests/';
const BUILD = '      - run: docker build -t api .';
const ENVIRONMENT = '    environment: production\n';
const CONCURRENCY = 'concurrency: ci\n';
const READ = 'permissions: { contents: read }';
const PULL: Edit = ['  pull_request:', '  pull_request_target:'];
/** More steps after the build. */
const step = (text: string): Edit => [BUILD, `${BUILD}\n      - ${text}`];
const uses = (name: string, rest = '') => step(`uses: ${name}@${COMMIT}${rest}`);

testRules('workflow', WORKFLOW, CLEAN, [
  {
    rule: 'no-quality-gate',
    bad: ['    needs: test\n', ''],
    good: [
      ['    needs: test\n', ''],
      [BUILD, `      - run: npm run lint\n${BUILD}`],
    ],
    at: 'docker build',
  },
  {
    rule: 'no-quality-gate',
    bad: [
      ['  test:\n', '  prepare:\n'],
      ['needs: test', 'needs: prepare'],
      [TESTS, '      - run: echo hello'],
    ],
    good: [
      ['  test:\n', '  prepare:\n'],
      ['needs: test', 'needs: prepare'],
    ],
    at: 'docker build',
  },
  {
    rule: 'production-without-environment',
    bad: [ENVIRONMENT, ''],
    good: [
      [ENVIRONMENT, ''],
      ['shop-production', 'shop-nonprod'],
    ],
    at: 'kubectl',
  },
  {
    rule: 'deploy-without-concurrency',
    bad: [CONCURRENCY, ''],
    good: [
      [CONCURRENCY, ''],
      [ENVIRONMENT, `${ENVIRONMENT}    concurrency: ship\n`],
    ],
    at: 'ship:',
  },
  { rule: 'permissions-missing', bad: [`${READ}\n`, ''], good: [READ, 'permissions: {}'], at: 'jobs:' },
  {
    rule: 'permissions-write-all',
    bad: [READ, 'permissions: write-all'],
    good: [READ, 'permissions: read-all'],
    at: 'permissions',
  },
  {
    rule: 'pull-request-target-checkout',
    bad: [PULL, uses('actions/checkout', '\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}')],
    good: [PULL, uses('actions/checkout')],
    at: 'ref:',
  },
  {
    rule: 'self-hosted-pull-request',
    bad: ['    runs-on: ubuntu-24.04', '    runs-on: [self-hosted, linux]'],
    good: [
      ['  pull_request:\n', ''],
      ['    runs-on: ubuntu-24.04', '    runs-on: self-hosted'],
    ],
    at: 'self-hosted',
  },
  {
    rule: 'secrets-inherit',
    bad: ['  build:', '  call:\n    uses: ./.github/workflows/a.yml\n    secrets: inherit\n  build:'],
    good: [
      '  build:',
      '  call:\n    uses: ./.github/workflows/a.yml\n    secrets: { A: "${{ secrets.A }}" }\n  build:',
    ],
    at: 'inherit',
  },
  {
    rule: 'no-timeout',
    bad: ['    timeout-minutes: 10\n', ''],
    good: ['timeout-minutes: 10', 'timeout-minutes: ${{ inputs.minutes }}'],
    at: 'test:',
  },
  {
    rule: 'no-cache',
    bad: step('run: npm ci'),
    good: [step('run: npm ci'), uses('actions/setup-node', '\n        with: { cache: npm }')],
    at: 'npm ci',
  },
  { rule: 'action-on-branch', bad: step('uses: some/action@main'), good: uses('some/action'), at: 'some/action' },
  {
    rule: 'action-on-branch',
    bad: step('uses: some/action'),
    good: step('uses: ./.github/actions/own'),
    at: 'some/action',
  },
  {
    rule: 'action-not-pinned',
    bad: step('uses: some/action@v3'),
    good: uses('some/action', ' # v3'),
    at: 'some/action',
  },
  {
    rule: 'action-not-pinned',
    bad: step('uses: actions/checkout@v5'),
    good: uses('actions/checkout'),
    at: 'checkout@v5',
  },
  {
    rule: 'inline-secret',
    bad: step('env: { API_TOKEN: planted }\n        run: ls'),
    good: step('env: { API_TOKEN: "${{ secrets.API_TOKEN }}" }\n        run: ls'),
    at: 'API_TOKEN',
  },
  {
    rule: 'inline-secret',
    bad: uses('some/login', '\n        with: { username: me, password: planted }'),
    good: uses('some/login', '\n        with: { username: me, password: "${{ secrets.P }}" }'),
    at: 'password',
  },
  {
    rule: 'inline-secret',
    bad: step(`run: |\n          echo\n          curl -u x https://me:planted@example.org`),
    good: step('run: curl https://me:$PASS@example.org'),
    at: 'me:planted',
  },
  {
    rule: 'script-injection',
    bad: step('run: |\n          date\n          echo "${{ github.event.pull_request.title }}"'),
    good: step('run: echo ${{ github.event.pull_request.number }}'),
    at: 'title',
  },
  {
    rule: 'script-injection',
    bad: step('run: git switch ${{ github.head_ref }}'),
    good: step('env: { REF: "${{ github.head_ref }}" }\n        run: git switch "$REF"'),
    at: 'head_ref',
  },
  {
    rule: 'script-injection',
    bad: uses(
      'actions/github-script',
      '\n        with:\n          script: console.log(`${{ github.event.issue.body }}`)',
    ),
    good: uses('actions/github-script', '\n        with: { script: "context.payload.issue.body" }'),
    at: 'issue.body',
  },
  {
    rule: 'script-injection',
    bad: step('run: echo ${{ inputs.version }}'),
    good: step('run: echo ${{ github.sha }} ${{ needs.a.outputs.b }}'),
    at: 'inputs.version',
  },
  {
    rule: 'secret-in-script',
    bad: step('run: |\n          login ${{ secrets.USER }} ${{ secrets.PASSWORD }}'),
    good: step('env: { P: "${{ secrets.P }}" }\n        run: login'),
    at: 'secrets.USER',
  },
  {
    rule: 'curl-pipe-shell',
    bad: step('run: curl -LsSf https://example.org/i.sh | sudo bash'),
    good: step('run: curl -LsSf https://example.org/x.tgz | tar xz'),
    at: 'curl',
  },
  {
    rule: 'curl-pipe-shell',
    bad: step('run: bash <(curl -s https://example.org/i.sh)'),
    good: step('run: echo "curl x | sh" # curl x | sh'),
    at: 'curl',
  },
  {
    rule: 'deprecated-command',
    bad: step('run: echo "::set-output name=a::b"'),
    good: step('run: echo "a=b" >> "$GITHUB_OUTPUT"'),
    at: 'set-output',
  },
  {
    rule: 'artifact-with-secrets',
    bad: uses(
      'actions/upload-artifact',
      '\n        with:\n          path: |\n            dist/\n            config/.env',
    ),
    good: uses('actions/upload-artifact', '\n        with: { path: dist/ }'),
    at: 'config/.env',
  },
  { rule: 'tests-may-fail', bad: [TESTS, `${TESTS} || true`], good: [TESTS, `${TESTS} || exit 1`], at: '|| true' },
  {
    rule: 'tests-may-fail',
    bad: [TESTS, `${TESTS}\n        continue-on-error: true`],
    good: step('run: ls\n        continue-on-error: true'),
    at: 'continue-on-error',
  },
]);

describe('workflows as they are written (C6)', () => {
  const severityOf = (change: Edit) => findingsOf(WORKFLOW, edited(CLEAN, change)).map(({ severity }) => severity);

  test('severities follow whose action and whose input it is', () => {
    expect(severityOf(step('uses: actions/checkout@v5'))).toEqual(['info']);
    expect(severityOf(step('uses: some/action@v5'))).toEqual(['warning']);
    expect(severityOf(step('run: echo ${{ inputs.version }}'))).toEqual(['warning']);
    expect(severityOf(step('run: echo "::set-env name=a::b"'))).toEqual(['error']);
  });

  test('what only checks pull requests, follows another workflow or is deployed by hand needs no gate of its own', () => {
    const job = (on: string, run: string) =>
      ids(
        findingsOf(
          WORKFLOW,
          `on: ${on}\npermissions: {}\nconcurrency: x\njobs:\n  a:\n    timeout-minutes: 1\n    steps:\n      - run: ${run}\n`,
        ),
      );
    expect(job('[pull_request]', 'docker build .')).toEqual([]);
    expect(job('{ workflow_run: { workflows: [CI] } }', 'docker build .')).toEqual([]);
    expect(job('workflow_dispatch', 'helm upgrade api ./chart')).toEqual([]);
    expect(job('push', 'helm upgrade api ./chart')).toEqual(['8 no-quality-gate']);
    expect(job('push', 'helm upgrade api ./chart --dry-run=server')).toEqual([]);
    expect(job('workflow_dispatch', 'docker build .')).toEqual(['8 no-quality-gate']);
  });

  test('a composite action is checked by its steps', () => {
    const action = `name: Set up
runs:
  using: composite
  steps:
    - uses: some/action@main
    - shell: bash
      run: echo \${{ inputs.name }}
`;
    expect(ids(findingsOf('actions/set-up/action.yml', action))).toEqual(['5 action-on-branch', '7 script-injection']);
    expect(findingsOf('action.yml', 'runs: { using: node24, main: index.js }\n')).toEqual([]);
  });

  test('what GitHub would refuse is told by its line', () => {
    const says = (text: string) => findingsOf(WORKFLOW, text).map(({ line, rule, what }) => `${line} ${rule} ${what}`);
    expect(says('on: push\njobs:\n  a:\n    - run: x\n')).toEqual([
      '3 syntax job a is no mapping with runs-on and steps',
    ]);
    expect(says(edited(CLEAN, ['needs: [build]', 'needs: [bild]']))).toContain(
      '21 syntax job ship needs bild, which is no job',
    );
    expect(says('jobs: [\n')).toEqual(['2 syntax is no YAML: bad indent']);
  });
});
