import type { Command } from './shell.ts';
import type { Job, Step } from './workflow-source.ts';

/** Programs that judge code: tests, linters, type checkers, scanners. */
const JUDGES = new Set(
  'pytest tox nox ruff flake8 pylint mypy pyright bandit eslint oxlint biome vitest jest mocha playwright cypress golangci-lint staticcheck shellcheck hadolint trivy grype snyk semgrep rspec rubocop phpunit phpstan actionlint ktlint ctest tsc kubeconform kubeval tflint checkov'.split(
    ' ',
  ),
);
const RUNNERS = new Set('uv uvx poetry pipenv pdm hatch npx bunx pnpm npm yarn bun bundle rye pixi'.split(' '));
const JUDGING = /^(?:tests?|lint|check|typecheck|type-check|verify|vet|clippy|validate)(?:$|[:_-])/;
const SUBCOMMANDS = new Set(
  'npm pnpm yarn bun go cargo mvn mvnw gradle gradlew make just task dotnet terraform helm deno swift mix sbt'.split(
    ' ',
  ),
);
const JUDGING_NAME =
  /(?:^|[^a-z])(?:unit|tests?|testing|lint|linting|linter|quality|gates?|type-?check(?:ing|s)?|scan|scanning|audit|validate|ci)(?:[^a-z]|$)/;
/** What looks at a deployment afterwards is no gate before it. */
const AFTERWARDS = /health|smoke|post-?deploy/;

/** What goes with tests and judges nothing itself. */
const AROUND = /upload|download|report|login|cache|set-?\s?up/;

const PUBLISHING_ACTION =
  /^(?:docker\/(?:build-push|bake)-action|goreleaser\/|softprops\/action-gh-release|pypa\/gh-action-pypi-publish)/;

/** Whether a step judges code before it ships. */
export function isGate(step: Step): boolean {
  const name = `${step.uses ?? ''} ${step.name}`.toLowerCase();
  if (AFTERWARDS.test(name)) return false;
  return (JUDGING_NAME.test(name) && !AROUND.test(name)) || step.commands.some(judges);
}

export function isGateJob(job: Job): boolean {
  const names = [job.id, job.name, job.uses ?? ''].join(' ').toLowerCase();
  return (JUDGING_NAME.test(names) && !AFTERWARDS.test(names)) || job.steps.some(isGate);
}

/** Whether a command tests, lints, checks types or scans. */
export function judges({ program, args }: Command): boolean {
  const words = args.filter((arg) => !arg.startsWith('-')).slice(0, 4);
  if (JUDGES.has(program)) return true;
  if (/^python[\d.]*$/.test(program)) return args[0] === '-m' && (JUDGES.has(args[1] ?? '') || args[1] === 'unittest');
  if (RUNNERS.has(program) && words.some((word) => JUDGES.has(word))) return true;
  return SUBCOMMANDS.has(program) && words.some((word) => JUDGING.test(word));
}

/** Where a step makes what others get (an image, a package, a release); undefined where it does not. */
export function publishedAt({ line, uses, commands }: Step): number | undefined {
  if (PUBLISHING_ACTION.test(uses ?? '')) return line;
  return commands.find(publishes)?.line;
}

function publishes({ program, args }: Command): boolean {
  const [first = '', second = ''] = args.filter((arg) => !arg.startsWith('-'));
  if (/^(?:docker|podman|buildah|nerdctl)$/.test(program)) return /^(?:build|push|bud|buildx|bake)$/.test(first);
  if (/^(?:npm|pnpm|yarn|cargo|uv|poetry)$/.test(program)) return first === 'publish';
  if (program === 'gh') return first === 'release' && second === 'create';
  return (program === 'twine' && first === 'upload') || program === 'goreleaser';
}

/** The commands and actions of a job that change what runs somewhere, each as words to look in, with the line. */
export function deployments(job: Job): { line: number; words: string }[] {
  return job.steps.flatMap((step) => {
    const acts = step.commands
      .filter(deploys)
      .map(({ line, program, args }) => ({ line, words: [program, ...args].join(' ') }));
    const { uses } = step;
    const action = uses !== undefined && /deploy/i.test(uses) && !/^\.\/|undeploy|deployment-status/.test(uses);
    return action ? [...acts, { line: step.line, words: `${uses} ${step.name}` }] : acts;
  });
}

function deploys({ program, args }: Command): boolean {
  if (args.some((arg) => arg.startsWith('--dry-run'))) return false;
  const [first = '', second = ''] = args.filter((arg) => !arg.startsWith('-'));
  if (program === 'kubectl')
    return (
      /^(?:apply|set|create|replace|patch|scale)$/.test(first) ||
      (first === 'rollout' && /^(?:restart|undo)$/.test(second))
    );
  if (program === 'helm') return /^(?:upgrade|install|rollback)$/.test(first);
  if (/^(?:terraform|tofu|pulumi)$/.test(program)) return /^(?:apply|up)$/.test(first);
  if (program === 'aws')
    return /^(?:update-service|deploy|create-deployment|update-function-code|update-stack|execute-change-set)$/.test(
      second,
    );
  if (/^(?:gcloud|az|shuttle|cargo-shuttle|serverless|sls|flyctl|fly|vercel|netlify|wrangler|cdk|sam)$/.test(program))
    return args.some((arg) => /^deploy|^up$/.test(arg));
  if (program === 'docker') return first === 'stack' && second === 'deploy';
  return (
    program === 'ansible-playbook' ||
    /^deploy[\w.-]*$/i.test(program) ||
    (/^(?:ba)?sh$/.test(program) && /(?:^|\/)deploy[\w.-]*$/i.test(first))
  );
}

/** Whether words name production: `tta-production`, `prod`; not `non-prod`, `preprod`. */
export function namesProduction(words: string): boolean {
  return /(?:^|[^a-z])(?<!non[-_ ]?|pre[-_ ]?|not[-_ ]?)prod(?:uction)?(?![a-z])/i.test(words);
}

/** Whether a pull request from anybody can start it. */
export function runsForPullRequests(events: ReadonlyMap<string, unknown>): boolean {
  return events.has('pull_request') || events.has('pull_request_target');
}
