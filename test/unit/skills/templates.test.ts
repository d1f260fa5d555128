import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';

import { diagnose, readChecked } from '../../../src/adapters/diagnostics/diagnose.ts';
import { SKILLS } from '../../../src/config/locations.ts';

const templates = readdirSync(SKILLS, { recursive: true, encoding: 'utf8' }).filter((file) =>
  /\/templates\/[^/]+\.?[^/]+$/.test(file),
);
const text = (file: string) => readFileSync(join(SKILLS, file), 'utf8');

/** Where a template is meant to be saved; its own name elsewhere. */
const placeOf = (file: string) =>
  file === 'ci-cd/templates/ci-cd.yml' ? '.github/workflows/ci-cd.yml' : basename(file);

/** What an agent is to deliver, each from a template (H4). */
const DELIVERABLES = [
  'Dockerfile',
  'dockerignore',
  'docker-compose.yml',
  'docker-compose.test.yml',
  'docker-compose.prod.yml',
  'ci-cd.yml',
  'gitlab-ci.yml',
  'Jenkinsfile',
  'deployment.yaml',
  'service.yaml',
  'configmap.yaml',
  'secrets.yaml',
  'hpa.yaml',
  'ingress.yaml',
  'infrastructure.yaml',
  'main.tf',
  'ecs-task-definition.json',
  'ecs-service.json',
  'adr.md',
  'runbook.md',
  'post-mortem.md',
  'DEPLOYMENT.md',
  'INFRASTRUCTURE.md',
  'ROLLBACK.md',
  'MONITORING.md',
  'TROUBLESHOOTING.md',
];

describe('templates (H4)', () => {
  test('there is one for everything that the documents ask for', () => {
    expect(DELIVERABLES.filter((name) => !templates.some((file) => basename(file) === name))).toEqual([]);
  });

  /** Of what C6 knows; the kubernetes folder as a whole, since budgets and autoscalers stand beside the workloads. */
  const sets: [string, string[], string[]][] = [
    ['docker', ['Dockerfile'], ['dockerfile']],
    [
      'docker',
      ['docker-compose.yml', 'docker-compose.test.yml', 'docker-compose.prod.yml'],
      ['compose', 'compose', 'compose'],
    ],
    ['ci-cd', ['ci-cd.yml'], ['workflow']],
    [
      'kubernetes',
      ['deployment.yaml', 'service.yaml', 'hpa.yaml', 'ingress.yaml', 'configmap.yaml', 'secrets.yaml'],
      Array.from({ length: 6 }, () => 'kubernetes'),
    ],
  ];
  test.for(sets)('%s: %s have no finding of an error or a warning (C6)', ([folder, names, kinds]) => {
    const read = names.flatMap((name) => {
      const file = `${folder}/templates/${name}`;
      return readChecked(placeOf(file), text(file)) ?? [];
    });
    expect(read.map(({ kind }) => kind)).toEqual(kinds);
    const findings = diagnose(read, { ignores: () => true }).filter(({ severity }) => severity !== 'info');
    expect(findings.map(({ file, line, rule, what }) => `${file}:${line} ${rule}: ${what}`)).toEqual([]);
  });

  test.for(templates.filter((file) => /\.ya?ml$/.test(file)))('%s is YAML', (file) => {
    expect(
      parseAllDocuments(text(file))
        .flatMap((document) => ('errors' in document ? document.errors : []))
        .filter(({ code }) => code !== 'TAG_RESOLVE_FAILED'),
    ).toEqual([]);
  });

  test.for(templates.filter((file) => file.endsWith('.json')))('%s is JSON', (file) => {
    expect(() => JSON.parse(text(file))).not.toThrow();
  });

  test('a post-mortem has the seven headings', () => {
    const headings = [...text('post-mortem/templates/post-mortem.md').matchAll(/^## (.+)$/gm)].map(
      ([, heading]) => heading,
    );
    expect(headings).toEqual([
      'Incident summary',
      'Timeline',
      'Root cause',
      'Impact',
      'Mitigation',
      'Prevention',
      'Action items',
    ]);
  });
});
