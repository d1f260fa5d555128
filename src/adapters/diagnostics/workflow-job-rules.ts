import type { Rule } from './finding.ts';
import {
  deployments,
  isGate,
  isGateJob,
  judges,
  namesProduction,
  publishedAt,
  runsForPullRequests,
} from './workflow-intent.ts';
import { neededBy, words } from './workflow-source.ts';
import type { Job, Workflow } from './workflow-source.ts';
import { at, entries, text } from './yaml-tree.ts';

/** Jobs of its own steps; those that are another workflow cannot have most of what is looked for. */
function ownJobs({ jobs }: Workflow): Job[] {
  return jobs.filter(({ uses }) => uses === undefined);
}

function publishedLines({ steps }: Job): number[] {
  return steps.flatMap((step) => publishedAt(step) ?? []);
}

function listed(jobs: readonly Job[]): string {
  const ids = jobs.map(({ id }) => id);
  return `${ids.length === 1 ? 'job' : 'jobs'} ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ` and ${ids.length - 5} more` : ''}`;
}

const INSTALLS =
  /^(?:npm (?:ci|install)|yarn(?: install)?|pnpm install|pip[\d.]* install|uv sync|poetry install|bundle install|mvn |gradle |\.?\/?gradlew |cargo (?:build|test)|composer install|dotnet restore)/;
const CACHING =
  /^(?:actions\/cache|actions\/setup-go@v[4-9]|astral-sh\/setup-uv|swatinem\/rust-cache|gradle\/actions|jdx\/mise-action)/i;

export const WORKFLOW_JOB_RULES: readonly Rule<Workflow>[] = [
  {
    id: 'no-quality-gate',
    severity: 'warning',
    why: 'What was never tested is built and shipped.',
    fix: 'needs: [test]   # a job that lints and tests, for the job that builds or deploys',
    *check(workflow) {
      const { events } = workflow;
      // What only checks pull requests ships nothing; what starts after another workflow has its gates there.
      const shipsNothing = [...events.keys()].every((event) => /^(?:pull_request|merge_group)$/.test(event));
      if (shipsNothing || events.has('workflow_run') || events.has('workflow_call')) return;
      const byId = new Map(workflow.jobs.map((job) => [job.id, job]));
      const gating = new Set(workflow.jobs.filter(isGateJob));
      const publishing = new Set(workflow.jobs.filter((job) => publishedLines(job).length > 0));
      for (const job of ownJobs(workflow)) {
        const [builds] = publishedLines(job);
        const ships = builds ?? (events.has('push') ? deployments(job)[0]?.line : undefined);
        const needed = neededBy(job, byId);
        // A job that builds first is told of itself.
        if (ships === undefined || (builds === undefined && needed.some((each) => publishing.has(each)))) continue;
        const before = job.steps.filter(({ line }) => line <= ships);
        const gated =
          before.slice(0, -1).some(isGate) ||
          before.at(-1)?.commands.some((command) => command.line < ships && judges(command)) === true;
        if (gated || needed.some((each) => gating.has(each))) continue;
        yield {
          line: ships,
          what: `job ${job.id} ${builds === undefined ? 'deploys' : 'builds'} without lint or tests before it`,
        };
      }
    },
  },
  {
    id: 'production-without-environment',
    severity: 'error',
    why: 'Without it nobody is asked: protection rules, reviewers and secrets of the environment do not apply.',
    fix: 'environment: production',
    *check(workflow) {
      for (const job of ownJobs(workflow)) {
        if (at(job.node, 'environment')) continue;
        const acts = deployments(job);
        const named = namesProduction(`${job.id} ${job.name}`);
        const found = acts.find((act) => named || namesProduction(act.words));
        if (found) yield { line: found.line, what: `job ${job.id} deploys to production without environment:` };
      }
    },
  },
  {
    id: 'deploy-without-concurrency',
    severity: 'warning',
    why: 'Two runs deploy at once, and the older one may end last.',
    fix: 'concurrency: { group: deploy-staging, cancel-in-progress: false }',
    *check(workflow) {
      if (at(workflow.root, 'concurrency')) return;
      for (const job of ownJobs(workflow))
        if (deployments(job).length > 0 && !at(job.node, 'concurrency'))
          yield { line: job.line, what: `job ${job.id} deploys without concurrency:` };
    },
  },
  {
    id: 'permissions-missing',
    severity: 'warning',
    why: 'The token may get write access to the whole repository, as its settings say.',
    fix: 'permissions:\n  contents: read',
    *check({ root, jobs }) {
      const without = jobs.filter(({ node }) => !at(node, 'permissions'));
      if (!at(root, 'permissions') && without.length > 0)
        yield { line: at(root, 'jobs')?.line ?? root.line, what: `no permissions: for ${listed(without)}` };
    },
  },
  {
    id: 'permissions-write-all',
    severity: 'error',
    why: 'Every action in it can push code, publish packages and change releases.',
    fix: 'permissions:\n  contents: read',
    *check({ root, jobs }) {
      for (const node of [root, ...jobs.map((job) => job.node)]) {
        const permissions = at(node, 'permissions');
        if (permissions && text(permissions) === 'write-all')
          yield { line: permissions.line, what: 'gives its token write-all' };
      }
    },
  },
  {
    id: 'pull-request-target-checkout',
    severity: 'error',
    why: 'Code of a stranger’s pull request runs with this repository’s secrets and a token that can write.',
    fix: 'on: pull_request   # or leave out ref: of the pull request’s head',
    *check({ events, jobs }) {
      if (!events.has('pull_request_target') && !events.has('workflow_run')) return;
      for (const { node, uses } of jobs.flatMap(({ steps }) => steps)) {
        if (!uses?.startsWith('actions/checkout@')) continue;
        for (const key of ['ref', 'repository']) {
          const ref = at(node, 'with', key);
          if (ref && /head[._]?(?:ref|sha|repo|branch|commit)|pull_request\.head|refs\/pull\//.test(text(ref) ?? ''))
            yield { line: ref.line, what: 'checks out the head of a pull request with this repository’s rights' };
        }
      }
    },
  },
  {
    id: 'self-hosted-pull-request',
    severity: 'warning',
    why: 'In a public repository anybody’s code runs on that machine and may stay there.',
    fix: 'runs-on: ubuntu-24.04',
    *check({ events, jobs }) {
      if (!runsForPullRequests(events)) return;
      for (const { id, node } of jobs) {
        const runner = at(node, 'runs-on');
        if (runner && [...words(runner), ...words(at(runner, 'labels'))].includes('self-hosted'))
          yield { line: runner.line, what: `job ${id} runs on a self-hosted runner for pull requests` };
      }
    },
  },
  {
    id: 'secrets-inherit',
    severity: 'warning',
    why: 'The other workflow gets every secret, those that are added later included.',
    fix: 'secrets:\n  TOKEN: ${{ secrets.TOKEN }}',
    *check({ jobs }) {
      for (const { id, node } of jobs) {
        const secrets = at(node, 'secrets');
        if (secrets && text(secrets) === 'inherit')
          yield { line: secrets.line, what: `job ${id} passes on all secrets` };
      }
    },
  },
  {
    id: 'no-timeout',
    severity: 'info',
    why: 'A job that hangs runs for six hours.',
    fix: 'timeout-minutes: 15',
    *check(workflow) {
      const without = ownJobs(workflow).filter(({ node, steps }) => !at(node, 'timeout-minutes') && steps.length > 0);
      const [first] = without;
      if (first) yield { line: first.line, what: `no timeout-minutes: for ${listed(without)}` };
    },
  },
  {
    id: 'no-cache',
    severity: 'info',
    why: 'Every run downloads all dependencies again.',
    fix: 'with: { cache: npm }   # of actions/setup-node; cache: pip of setup-python; else actions/cache',
    *check(workflow) {
      for (const { id, steps } of ownJobs(workflow)) {
        const cached = steps.some(
          ({ uses, node }) =>
            CACHING.test(uses ?? '') ||
            entries(at(node, 'with')).some(([key]) => key === 'cache' || key === 'cache-from'),
        );
        const install = steps
          .flatMap(({ commands }) => commands)
          .find(({ program, args }) => INSTALLS.test([program, ...args].join(' ')));
        if (install && !cached) yield { line: install.line, what: `job ${id} installs dependencies without a cache` };
      }
    },
  },
];
