import { describe, expect, it } from 'vitest';

import type { Target } from '../../../src/core/target.ts';
import { checkedPolicy, readPolicyFile } from '../../../src/policy/load.ts';
import type { Rule } from '../../../src/policy/policy.ts';
import { answer, file, folder, workload } from './policies.ts';
import { access, CLOSED, load, options, READ_ONLY, READ_WRITE, SHIPPED } from './shipped-policies.ts';

const [devops, tta, orchestra, battra, pdlc] = await Promise.all([
  load('devops'),
  load('tta-devops-engineer'),
  load('orchestra-devops'),
  load('battra-devops'),
  load('pdlc-devops'),
]);
const all = [devops, tta, orchestra, battra, pdlc];
const three = [orchestra, battra, pdlc];

describe('B3 B8 what S2 names is orchestra-devops’s', () => {
  it.each([
    'Dockerfile',
    'services/api/Dockerfile',
    'docker-compose.yml',
    'docker-compose.test.yml',
    'docker-compose.prod.yml',
    '.dockerignore',
    '.github/workflows/ci-cd.yml',
    '.gitlab-ci.yml',
    'Jenkinsfile',
    'k8s/deployment.yaml',
    'k8s/service.yaml',
    'k8s/configmap.yaml',
    'k8s/secrets.yaml',
    'k8s/hpa.yaml',
    'k8s/ingress.yaml',
    'cloudformation/infrastructure.yaml',
    'terraform/main.tf',
    'ecs-task-definition.json',
    'ecs-service.json',
    'ansible/site.yml',
    'helm/api/values.yaml',
    'docs/DEPLOYMENT.md',
    'docs/INFRASTRUCTURE.md',
    'docs/ROLLBACK.md',
    'docs/MONITORING.md',
    'docs/TROUBLESHOOTING.md',
  ])('%s', (path) => expect(access(orchestra, path)).toEqual(READ_WRITE));

  it.each([
    'app/main.py',
    'requirements.txt',
    'cmd/api/main.go',
    'go.mod',
    'lib/main.dart',
    'config/orchestra-config.json',
  ])('for reference: %s', (path) => expect(access(orchestra, path)).toEqual(READ_ONLY));

  it.each([
    'docs/API.md',
    'docs/adr/0001.md',
    'terraform/prod.tfvars',
    'terraform/terraform.tfstate',
    '.env',
    'k8s/tls.key',
  ])('closed: %s', (path) => expect(access(orchestra, path)).toEqual(CLOSED));
});

describe('B3 B4 B8 what S3 names is battra-devops’s', () => {
  it.each([
    'Shuttle.toml',
    'crates/api/Shuttle.toml',
    'Dockerfile',
    '.github/workflows/ci.yml',
    'migrations/20260301_sessions.up.sql',
    'scripts/rotate.sh',
    'src/adapters/http/health.rs',
    'src/adapters/http/ready.rs',
    'crates/api/src/health/mod.rs',
    'tests/health.rs',
    'crates/api/tests/contract.rs',
    'docs/adr/0007-redis.md',
    'docs/deployment.md',
    'README.md',
    'openapi.yaml',
    'api/openapi.json',
  ])('%s', (path) => expect(access(battra, path)).toEqual(READ_WRITE));

  it.each(['src/main.rs', 'src/adapters/http/orders.rs', 'src/domain/orders.rs', 'Cargo.toml', 'Cargo.lock'])(
    'for reference: %s',
    (path) => expect(access(battra, path)).toEqual(READ_ONLY),
  );

  it.each([
    'Secrets.toml',
    'secrets.toml',
    'Secrets.dev.toml',
    'crates/api/Secrets.toml',
    'tests/.env',
    'docs/.env.md',
  ])('never: %s', (path) => expect(access(battra, path)).toEqual(CLOSED));

  it('production comes after staging: the checklist says so', () => {
    const held = answer(battra, 'kubectl-rollout', workload({ namespace: 'prod' }));
    expect(held).toMatchObject({
      verdict: 'require_approval',
      terms: { checklists: ['staging-first', 'production-deployment'] },
    });
    expect(held.terms?.items?.map(({ id }) => id)).toContain('staging-first/deployed-to-staging');
  });

  const task = (effect: Target['effect'], host: string): Target => ({
    kind: 'task',
    id: 'task-1',
    effect,
    at: { host },
  });
  it.each([
    ['read', 'localhost', 'allow'],
    ['write', 'localhost', 'allow'],
    ['destroy', 'localhost', 'deny'],
    ['read', 'queue.example.com', 'deny'],
    ['write', 'queue.example.com', 'deny'],
  ] as const)('H3 the task queue: %s at %s: %s', (effect, host, verdict) => {
    expect(answer(battra, 'tasks', task(effect, host)).verdict).toBe(verdict);
  });

  it('H3 no other persona has a task queue', () => {
    for (const policy of all.filter((each) => each !== battra))
      expect(answer(policy, 'tasks', task('read', 'localhost')).verdict, policy.name).toBe('deny');
  });
});

describe('B3 H2 B8 what S4 names is pdlc-devops’s', () => {
  it.each([
    'terraform/main.tf',
    'cloudformation/network.yaml',
    'pulumi/Pulumi.yaml',
    '.github/workflows/ci.yml',
    '.gitlab-ci.yml',
    'Jenkinsfile',
    'scripts/setup/install.sh',
    '.pre-commit-config.yaml',
    ...[
      'INFRA04-env-specs.md',
      'INFRA05-iac-design.md',
      'INFRA06-deployment-strategy.md',
      'INFRA08-dev-env.md',
      'INFRA09-tooling-setup.md',
      'INFRA10-ci-pipeline.md',
      'INFRA11-quality-gates.md',
      'INFRA12-staging-env.md',
      'INFRA13-monitoring-setup.md',
      'R06-release-artifacts/checksums.txt',
      'R07-version-tag.md',
      'R08-staging-deploy.md',
      'R09-smoke-tests.md',
      'R13-prod-deploy.md',
      'R14-monitoring-active.md',
      'R15-verification-result.md',
      'R16-health-check.md',
      'R18-rollback-result.md',
      'D22-deployed-product.md',
      'D23-feedback-channels.md',
    ].map((name) => `docs/workflow/artifacts/${name}`),
  ])('%s', (path) => expect(access(pdlc, path)).toEqual(READ_WRITE));

  it.each([
    ['INFRA01-requirements.md', 'architect'],
    ['INFRA02-compute-needs.md', 'architect'],
    ['INFRA03-storage-needs.md', 'architect'],
    ['R04-merge-result.md', 'developer'],
    ['D21-release-candidate.md', 'product-manager'],
    ['R12-prod-approval.md', undefined],
    ['R17-rollback-decision.md', undefined],
  ])('others write %s (%s)', (name, handOff) => {
    const path = `docs/workflow/artifacts/${name}`;
    expect(access(pdlc, path)).toEqual(READ_ONLY);
    expect(answer(pdlc, 'save-file', file(path, 'write')).handOff).toBe(handOff);
  });

  it('the tool workflow alone keeps the state, and R12 and R17', () => {
    expect(access(pdlc, 'docs/workflow/state.json')).toEqual(READ_ONLY);
    for (const name of ['state.json', 'artifacts/R12-prod-approval.md', 'artifacts/R17-rollback-decision.md'])
      expect(answer(pdlc, 'workflow', file(`docs/workflow/${name}`, 'write')).verdict, name).toBe('allow');
  });

  it('whatever other tool: no rule allows it', () => {
    for (const tool of ['save-file', 'git', 'a-tool-to-come', 'write-memory'])
      for (const name of ['R12-prod-approval.md', 'R17-rollback-decision.md', 'R12', 'R19-new.md'])
        expect(answer(pdlc, tool, file(`docs/workflow/artifacts/${name}`, 'write')).verdict, `${tool} ${name}`).toBe(
          'deny',
        );
  });

  it.each(['r12-prod-approval.md', 'R12', 'R12-other.txt', 'R17/decision.md', 'R17-Rollback-Decision.MD'])(
    'nor under another spelling: %s',
    (name) => {
      const decision = answer(pdlc, 'save-file', file(`docs/workflow/artifacts/${name}`, 'write'));
      expect(decision).toMatchObject({ verdict: 'deny', rules: ['workflow-decisions'] });
      expect(decision.reason).toMatch(/never by an agent/);
    },
  );
});

describe('B4 refusals name the roles of each document', () => {
  it.each([
    [orchestra, 'app/main.py', 'write', 'python-specialist'],
    [orchestra, 'cmd/api/main.go', 'write', 'go-specialist'],
    [orchestra, 'lib/main.dart', 'write', 'flutter-specialist'],
    [orchestra, 'src/server.ts', 'write', 'coding-agents'],
    [orchestra, 'tests/test_api.py', 'write', 'qa-engineer'],
    [orchestra, 'internal/queue/queue_test.go', 'write', 'qa-engineer'],
    [orchestra, 'docs/adr/0001.md', 'write', 'architect'],
    [orchestra, '.trivyignore', 'write', 'security-auditor'],
    [orchestra, 'k8s/.env', 'read', 'credential-manager'],
    [battra, 'src/domain/orders.rs', 'write', 'dev'],
    [battra, 'Cargo.toml', 'write', 'dev'],
    [pdlc, 'src/app.py', 'write', 'developer'],
    [pdlc, 'tests/test_app.py', 'write', 'qa'],
    [pdlc, 'docs/architecture/overview.md', 'write', 'architect'],
    [devops, 'docs/architecture/overview.md', 'write', 'architect'],
    [tta, '.trivyignore', 'write', 'security-auditor'],
  ] as const)('$name: %s %s', (policy, path, effect, handOff) => {
    expect(answer(policy, 'str-replace-editor', file(path, effect))).toMatchObject({ verdict: 'deny', handOff });
  });

  it.each([
    [devops, 'architect'],
    [tta, 'architect'],
    [orchestra, 'architect'],
    [battra, undefined],
    [pdlc, 'product-manager'],
  ] as const)('$name: production is agreed with %s', (policy, handOff) => {
    const held = answer(policy, 'kubectl-rollout', workload({ kubeContext: 'prod-eu', namespace: 'api' }));
    expect(held.verdict).toBe('require_approval');
    expect(held.handOff).toBe(handOff);
  });
});

describe('B5 tools of other MCP servers', () => {
  const call = (server: string, effect: Target['effect']): Target => ({
    kind: 'upstream',
    id: `${server}__do`,
    resource: server,
    effect,
    at: { upstream: server },
  });

  it.each(['github', 'gitmcp', 'serena', 'grafana'])('%s: reading is allowed, the rest is held', (server) => {
    for (const policy of all) {
      const verdicts = (['read', 'write', 'destroy'] as const).map(
        (effect) => answer(policy, `${server}__do`, call(server, effect)).verdict,
      );
      expect(verdicts, policy.name).toEqual(['allow', 'require_approval', 'require_approval']);
    }
  });

  it('a server that S0 and S1 do not name is closed', () => {
    for (const policy of [devops, tta])
      for (const effect of ['read', 'write', 'destroy'] as const)
        expect(answer(policy, 'other__do', call('other', effect)).verdict, policy.name).toBe('deny');
  });

  it('writes run at once where an environment lists the server; destruction is still held', async () => {
    const text = await readPolicyFile(orchestra.file);
    const listed = text.replace('  development:\n', '  development:\n    upstreams: [serena]\n');
    const policy = checkedPolicy(listed, orchestra.file, options);
    expect(answer(policy, 'serena__do', call('serena', 'write')).verdict).toBe('allow');
    expect(answer(policy, 'serena__do', call('serena', 'destroy')).verdict).toBe('require_approval');
    expect(answer(policy, 'github__do', call('github', 'write')).verdict).toBe('require_approval');
  });
});

describe('B8 what the five have in common', () => {
  /** A policy is read as one file, so what is the same stands in each; these may differ in roles, examples and checklists alone. */
  const COMMON = [
    'memory',
    'folders',
    'build-context',
    'secrets',
    'databases',
    'patient-data',
    'git-internals',
    'operate',
    'read-production',
    'change-production',
    'production',
    'production-processes',
    'merges',
    'force-push',
    'destruction',
    'production-databases',
    'browser',
  ];
  const said = ({ decision, conditions, terms }: Rule) => ({
    decision,
    when: conditions.map(({ key, written }) => [key, written]),
    ...(terms && { terms: { ...terms, checklists: [], items: [] } }),
  });

  it.each(COMMON)('%s', (id) => {
    const [first, ...others] = all.map((policy) => policy.rules.find((rule) => rule.id === id));
    for (const rule of others) expect(rule && said(rule)).toEqual(first && said(first));
    expect(first).toBeDefined();
  });

  it('the environments of all but TTA’s', () => {
    const environments = ({ environments: all }: typeof devops) =>
      all.map(({ name, selectors }) => [name, selectors.map(({ selector, patterns }) => [selector, patterns])]);
    for (const policy of three) expect(environments(policy)).toEqual(environments(devops));
  });

  it('each holds production to a checklist', () => {
    for (const policy of all) {
      const held = answer(policy, 'kubectl-rollout', workload({ kubeContext: 'prod' }));
      expect(held.terms?.items?.length, policy.name).toBeGreaterThan(5);
    }
  });

  it('C3 no secret by any of them, whatever else is open', () => {
    for (const policy of all)
      for (const path of [
        '.env',
        'a/.env.local',
        'secrets/x',
        'k8s/tls/a.key',
        'docs/workflow/artifacts/.env',
        'tests/id_rsa',
        'terraform/x.tfstate',
      ])
        expect(access(policy, path), `${policy.name} ${path}`).toEqual(CLOSED);
    for (const policy of all) expect(answer(policy, 'view', folder('secrets')).verdict).toBe('deny');
  });

  it('memory is theirs to keep', () => {
    for (const policy of all) expect(access(policy, 'docs/memory/decisions/a.md'), policy.name).toEqual(READ_WRITE);
  });

  it('what steers agents is not', () => {
    for (const policy of all)
      for (const path of [
        '.claude/settings.json',
        '.mcp.json',
        '.holdpoint/x.yaml',
        '.git/hooks/pre-push',
        '.husky/pre-commit',
      ])
        expect(answer(policy, 'save-file', file(path, 'write')).verdict, `${policy.name} ${path}`).toBe('deny');
  });

  it('all that ship are here', () => expect(all.map(({ name }) => name)).toEqual([...SHIPPED]));
});
