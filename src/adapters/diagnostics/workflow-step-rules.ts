import type { Found, Rule } from './finding.ts';
import { holdsSecret, isInlineSecret, isSecretFile } from './secrets.ts';
import { fetchedAndRun } from './shell.ts';
import type { Line } from './shell.ts';
import { isGate } from './workflow-intent.ts';
import type { Step, Workflow } from './workflow-source.ts';
import { at, entries, text } from './yaml-tree.ts';

const SHA = /^[0-9a-f]{40}$/;
/** What of an event nobody but GitHub chooses. */
const SAFE_EVENT =
  /^github\.event\.(?:[\w.]+\.)?(?:number|id|node_id|sha|action|before|after|created|deleted|forced|merged|draft|private|run_id|run_number|run_attempt|conclusion|status|login|type)$/;
const GIVEN = /\bgithub\.event(?:\.[\w*-]+|\[[^\]]*\])+|\bgithub\.head_ref\b/g;
const INPUT = /\binputs\.[\w-]+/g;

function eachStep(check: (step: Step, workflow: Workflow) => Iterable<Found>): Rule<Workflow>['check'] {
  return (workflow) => workflow.jobs.flatMap(({ steps }) => steps.flatMap((step) => [...check(step, workflow)]));
}

/** The lines that a step runs: of a shell, or of actions/github-script. */
function scriptOf({ node, run, uses }: Step): readonly Line[] {
  if (run) return run.lines;
  return uses?.startsWith('actions/github-script@') ? (at(node, 'with', 'script')?.lines ?? []) : [];
}

/** What stands between `${{` and `}}`. */
function expressions(lines: readonly Line[]): { line: number; inner: string }[] {
  return lines.flatMap(({ line, text: written }) => {
    const found: { line: number; inner: string }[] = [];
    for (let end = 0; ;) {
      const start = written.indexOf('${{', end);
      end = start === -1 ? -1 : written.indexOf('}}', start);
      if (end === -1) return found;
      found.push({ line, inner: written.slice(start + 3, end) });
    }
  });
}

/** Actions and reusable workflows, with the line of their `uses`. */
function used({ jobs }: Workflow): { line: number; name: string; ref: string | undefined }[] {
  return jobs
    .flatMap(({ node, steps }) => [node, ...steps.map((step) => step.node)])
    .flatMap((node) => {
      const uses = at(node, 'uses');
      const written = text(uses);
      if (!uses || written === undefined || /^(?:\.|docker:)/.test(written)) return [];
      const [name = '', ref] = written.split('@');
      return [{ line: uses.line, name, ref }];
    });
}

/** GitHub’s own, which it protects itself. */
function isOfficial(name: string): boolean {
  return /^(?:actions|github)\//.test(name);
}

function isBranch(ref: string | undefined): boolean {
  return ref === undefined || /^(?:main|master|develop|dev|trunk|HEAD|latest)$/.test(ref);
}

export const WORKFLOW_STEP_RULES: readonly Rule<Workflow>[] = [
  {
    id: 'action-on-branch',
    severity: 'error',
    why: 'Whatever is pushed to that branch runs here at once, with this workflow’s token and secrets.',
    fix: 'uses: owner/action@<commit SHA>   # v1.2.3',
    *check(workflow) {
      for (const { line, name, ref } of used(workflow))
        if (isBranch(ref))
          yield {
            line,
            what: `${name} ${ref === undefined ? 'has no version' : `is on the branch ${ref}`}`,
            fix: `uses: ${name}@<commit SHA>   # <version>`,
          };
    },
  },
  {
    id: 'action-not-pinned',
    severity: 'warning',
    why: 'A tag of somebody else’s can be moved to other code, which runs with this workflow’s token and secrets.',
    fix: 'uses: owner/action@<commit SHA>   # v1.2.3',
    *check(workflow) {
      for (const { line, name, ref } of used(workflow))
        if (!isBranch(ref) && !SHA.test(ref ?? ''))
          yield {
            line,
            what: `${name}@${ref} is pinned by a tag`,
            fix: `uses: ${name}@<commit SHA>   # ${ref}`,
            severity: isOfficial(name) ? 'info' : 'warning',
          };
    },
  },
  {
    id: 'inline-secret',
    severity: 'error',
    why: 'Everybody who can read the repository has it, for as long as the history lasts.',
    fix: 'NAME: ${{ secrets.NAME }}   # gh secret set NAME; then change the secret',
    *check({ root, jobs }) {
      const given = jobs.flatMap(({ node, steps }) => [
        ...['env', 'with'].map((key) => at(node, key)),
        ...['env', 'credentials'].map((key) => at(node, 'container', key)),
        ...steps.flatMap((step) => [at(step.node, 'env'), at(step.node, 'with')]),
      ]);
      for (const [name, value] of [at(root, 'env'), ...given].flatMap(entries))
        if (isInlineSecret(name, text(value) ?? ''))
          yield {
            line: value.line,
            what: `${name} has its value in the file`,
            fix: `${name}: \${{ secrets.<NAME> }}   # gh secret set <NAME>; then change the secret`,
          };
      for (const { line, text: written } of jobs.flatMap(({ steps }) => steps.flatMap(scriptOf)))
        if (holdsSecret(written)) yield { line, what: 'a script holds what looks like a token, key or password' };
    },
  },
  {
    id: 'script-injection',
    severity: 'error',
    why: 'The text is put into the script before the shell reads it: who opens a pull request or an issue runs commands.',
    fix: 'env:\n  TITLE: ${{ github.event.pull_request.title }}\nrun: echo "$TITLE"',
    check: eachStep(function* (step) {
      for (const { line, inner } of expressions(scriptOf(step))) {
        const names = [...inner.matchAll(GIVEN)].map(([name]) => name).filter((name) => !SAFE_EVENT.test(name));
        const outside = names.find((name) => !name.startsWith('github.event.inputs'));
        // Only people with write access give inputs to a workflow; what calls an action is not known.
        const input = outside === undefined ? (names[0] ?? inner.match(INPUT)?.[0]) : undefined;
        if (outside !== undefined) yield { line, what: `a script holds ${outside}` };
        else if (input !== undefined) yield { line, what: `a script holds ${input}`, severity: 'warning' };
      }
    }),
  },
  {
    id: 'secret-in-script',
    severity: 'info',
    why: 'The value stands in the script’s file and in the arguments of programs, where every process can read it.',
    fix: 'env:\n  TOKEN: ${{ secrets.TOKEN }}\nrun: printf %s "$TOKEN" | docker login --password-stdin …',
    check: eachStep(function* (step) {
      const lines = expressions(scriptOf(step)).flatMap(({ line, inner }) => (/\bsecrets\b/.test(inner) ? [line] : []));
      for (const line of new Set(lines)) yield { line, what: 'a script holds a secret’s value instead of a variable' };
    }),
  },
  {
    id: 'curl-pipe-shell',
    severity: 'warning',
    why: 'Whoever controls that address, or the way to it, runs code with this workflow’s token and secrets.',
    fix: 'Use a pinned setup action, or fetch, check with sha256sum -c, then run.',
    check: eachStep(function* ({ commands }) {
      for (const line of fetchedAndRun(commands)) yield { line, what: 'runs a script straight from the network' };
    }),
  },
  {
    id: 'deprecated-command',
    severity: 'error',
    why: 'The runner refuses these commands or is about to; set-env and add-path were ways to inject variables.',
    fix: 'echo "name=value" >> "$GITHUB_OUTPUT"   # GITHUB_ENV, GITHUB_PATH, GITHUB_STATE',
    check: eachStep(function* (step) {
      for (const { line, text: written } of scriptOf(step)) {
        const name = /::(set-output|save-state|set-env|add-path)\b/.exec(written)?.[1];
        if (name !== undefined)
          yield { line, what: `uses ::${name}`, severity: /^set-env|add-path/.test(name) ? 'error' : 'warning' };
      }
    }),
  },
  {
    id: 'artifact-with-secrets',
    severity: 'error',
    why: 'Everybody who can read the repository can download it.',
    fix: 'path: dist/',
    check: eachStep(function* ({ node, uses }) {
      if (!uses?.startsWith('actions/upload-artifact@')) return;
      const path = at(node, 'with', 'path');
      const hidden = at(node, 'with', 'include-hidden-files')?.value === true;
      for (const { line, text: written } of path?.lines ?? []) {
        const file = written.trim();
        if (isSecretFile(file)) yield { line, what: `uploads ${file}` };
        else if (hidden && /^(?:\.|\.\/|\*|\*\*|\*\*\/\*)$/.test(file))
          yield { line, what: 'uploads the whole folder, hidden files included' };
      }
    }),
  },
  {
    id: 'tests-may-fail',
    severity: 'warning',
    why: 'A gate that lets failures through is none.',
    fix: 'Remove continue-on-error and || true; mark single tests as known failures instead.',
    *check({ jobs }) {
      for (const { node, steps, id } of jobs) {
        const ignored = at(node, 'continue-on-error');
        if (ignored?.value === true && steps.some(isGate)) yield { line: ignored.line, what: `job ${id} may fail` };
        for (const step of steps.filter(isGate)) {
          const own = at(step.node, 'continue-on-error');
          if (own?.value === true) yield { line: own.line, what: 'a step that tests may fail' };
          const swallowed = step.commands.find(
            (command, index) => command.next === '||' && /^(?:true|:)$/.test(step.commands[index + 1]?.program ?? ''),
          );
          if (swallowed) yield { line: swallowed.line, what: 'a failing test is swallowed by || true' };
        }
      }
    },
  },
];
