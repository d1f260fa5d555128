import { allow, build, deny, edit, fetch, hold, launch, remove, rollout, save, view } from './calls.ts';
import type { Seed } from './seed.ts';

/** The plain persona: Shuttle, endpoints and tests in Rust are its own, hand-offs are not recorded, and a key stands in it. */
export const S3: Seed = {
  document: 's3-battra-persona.md',
  persona: 'battra-devops',
  role: ['DevOps Contributor', 'Blockers', 'hexagonal architecture boundaries', 'As a developer, I need'],
  files: { 'src/health.rs': 'fn health() {}\n', 'Secrets.toml': 'DB = "x"\n', 'docs/old.md': '# Old\n' },
  calls: [
    allow(save('Shuttle.toml', 'name = "battra"\n'), 11, 'Shuttle.toml'),
    deny(view('Secrets.toml'), 11, 'Secrets.toml', 'credential-manager'),
    deny(save('Secrets.toml'), 98, 'hardcode secrets or credentials', 'credential-manager'),
    allow(save('docker/Dockerfile', 'FROM rust:1-slim\n'), 12, 'Docker and container management'),
    allow(save('migrations/0001_init.sql', 'create table a (b int);\n'), 13, 'Database setup and migrations'),
    deny(save('seeds/0001.sql'), 13, 'migrations'),
    deny(view('.env'), 14, 'Environment configuration and management', 'credential-manager'),
    allow(save('.github/workflows/ci.yml', 'on: push\n'), 17, 'GitHub Actions workflow creation'),
    deny(save('.github/CODEOWNERS'), 17, 'GitHub Actions workflow'),
    allow(save('tests/health.rs', '#[test]\n'), 81, 'All infrastructure changes require tests'),
    allow(
      save('src/health.rs', 'fn health() {}\nfn ready() {}\n'),
      24,
      'Health check endpoint implementation (/health, /ready)',
    ),
    allow(edit('src/health.rs', 'fn health()', 'fn healthy()'), 162, 'health check endpoints'),
    deny(save('src/dashboard/App.tsx'), 37, 'rust (backend infrastructure)'),
    allow(save('README.md', '# Battra\n'), 82, 'Document deployment procedures in README'),
    allow(save('openapi.yaml', 'openapi: 3.1.0\n'), 83, 'Update OpenAPI specs for new endpoints'),
    allow(save('docs/adr/0001-redis.md', '# Redis\n'), 76, 'Update ADRs for architectural decisions'),
    allow(save('docs/deployment.md', '# Deployment\n'), 77, 'Create docs for deployment procedures'),
    deny(save('docs/run.sh', '#!/bin/sh\n'), 77, 'Create docs for deployment procedures'),
    hold(remove('docs/old.md'), 95, 'facilitate team collaboration'),
    deny(launch('shuttle', 'deploy', '--name', 'battra'), 97, 'deploy without testing in staging first'),
    hold(launch('shuttle', 'logs', '--latest', '--name', 'battra'), 122, 'shuttle logs --latest'),
    hold(launch('sqlx', 'migrate', 'info', '--source', 'migrations'), 134, 'sqlx migrate run'),
    allow(launch('gh', 'run', 'list', '-R', 'acme/shop'), 128, 'gh run list'),
    allow(fetch('http://localhost:8000/api/v1/health'), 108, 'http://localhost:8000/api/v1'),
    deny(fetch('https://example.com/'), 98, 'hardcode secrets'),
    allow(build('.', 'battra:1.0.0', { dockerfile: 'docker/Dockerfile' }), 41, 'docker (containerization)'),
    allow(rollout('restart', 'api', 'shop-staging'), 97, 'testing in staging first'),
    hold(rollout('restart', 'api', 'shop-prod'), 97, 'deploy without testing in staging first'),
  ],
};
