import { z } from 'zod';

import type { FilesPort } from '../../adapters/files/port.ts';
import { processReport, reportText } from '../../adapters/processes/port.ts';
import type { Access, ProcessReport } from '../../adapters/processes/port.ts';
import { classify, type Classified, type Launch, type ProcessPath } from '../../core/classify.ts';
import { worseEffect } from '../../core/effect.ts';
import { HoldpointError } from '../../core/errors.ts';
import { lookAlikes } from '../../core/foreign.ts';
import type { Facts } from '../../core/facts.ts';
import { fileTarget, withReal } from '../../core/paths.ts';
import type { Precondition } from '../../core/plan.ts';
import { principalId } from '../../core/principal.ts';
import type { ProgramGrammar } from '../../core/programs.ts';
import type { Target } from '../../core/target.ts';
import { defineTool } from '../../core/tool.ts';

/** Clients give up on a call after 60 seconds. */
const MAX_WAIT = 45;
const DEFAULT_WAIT = 10;
/** Room for the output of a result, as JSON, in bytes. */
const ROOM = 7000;
/** Files of a folder that is handed to a program, at most. */
const MAX_TREE = 1000;

export default defineTool({
  name: 'launch-process',
  title: 'Run a program',
  description:
    'Run git, kubectl, docker, gh, helm, terraform, aws, npm … without a shell: known sub-commands and flags only.',
  keywords: ['command', 'exec', 'shell', 'terminal', 'cli', 'bash'],
  effect: 'write',
  needs: ['processes', 'files'],
  input: z.strictObject({
    program: z.string(),
    args: z.array(z.string()),
    cwd: z.string().optional(),
    waitSeconds: z.int().min(0).max(MAX_WAIT).optional(),
  }),
  output: processReport,

  targets: (input, { facts }) => classify(launchOf(input), facts).targets,

  async plan(input, { facts, files, processes, permits }) {
    const classified = classify(launchOf(input), facts);
    refuseUnbound(classified.targets, permits);
    const { program, argv, cwd, folder, effect } = classified;
    const access = accessOf(classified);
    const [targets, { executable, environment, sandbox }] = [
      [...classified.targets, ...(await reached(classified, files))],
      await processes.examine(grammarOf(program, facts), access),
    ];
    const where = folder === 'empty' ? 'an empty folder' : cwd === '.' ? 'the workspace' : cwd;
    return {
      effect: targets.reduce((worst, target) => worseEffect(worst, target.effect), effect),
      targets,
      preconditions: [
        { id: `program:${program}`, says: `the program ${executable.path}`, value: executable.identity },
        { id: 'sandbox', says: 'the sandbox', value: sandbox },
        // What stays here and is only read changes nothing, whatever is in it by then.
        ...(effect === 'read' && classified.acts === 'local' ? [] : await filesRelied(classified.paths, files)),
      ],
      steps: [
        {
          id: 'run',
          does: `run ${classified.command} ${sandbox === 'none' ? 'without a sandbox' : `in a sandbox: ${sandbox}`}`,
          call: { file: executable.path, argv, in: where, environment, sandbox },
        },
      ],
      preview: {
        summary: `run ${classified.targets[0]?.id ?? program}`,
        text: previewText(executable.path, argv, where, environment, sandbox),
      },
      data: {
        program,
        argv,
        cwd,
        executable: { ...executable },
        access: { ...access },
      },
      // No part of what is approved or denied: the same command with another wait is the same command.
      manner: { waitSeconds: input.waitSeconds ?? DEFAULT_WAIT },
    };
  },

  async preview({ data: { program, argv }, preview: { text = '' } }) {
    return [
      { kind: 'risks', items: lookAlikes([program, ...argv]) },
      { kind: 'diff', title: 'The command, as it will be started', text },
      {
        kind: 'undo',
        text: 'Holdpoint cannot undo what a program does: only what the program itself offers takes it back.',
      },
    ];
  },

  async run(
    { data: { program, argv, cwd, executable, access }, manner },
    { facts, processes, principal, signal, progress, stepDone },
  ): Promise<ProcessReport> {
    const owner = principalId(principal);
    const { waitSeconds } = manner as { waitSeconds: number };
    const id = await processes.start({ grammar: grammarOf(program, facts), executable, argv, cwd, ...access }, owner);
    const waiting = {
      waitMs: waitSeconds * 1000,
      maxBytes: ROOM,
      signal,
      onLine: (message: string) => progress({ message }),
    };
    const report = await processes.read(id, owner, waiting);
    stepDone('run', { id, state: report.state, exitCode: report.exitCode ?? null, sandboxed: report.sandboxed });
    return report;
  },

  render: reportText,
});

/**
 * A change of a cluster or an Engine that would wait for approval is refused: a command line names its object, and by the
 * time it runs the name can mean another. The typed tools bind the object itself.
 */
function refuseUnbound(targets: readonly Target[], permits: (target: Target) => boolean): void {
  const unbound = targets.find(
    (target) =>
      target.kind === 'process' && target.effect !== 'read' && target.at?.host === undefined && !permits(target),
  );
  if (!unbound) return;
  throw new HoldpointError(
    'denied',
    `${unbound.id} would need approval, and launch-process cannot bind an approval to what it changes.`,
    {
      rule: 'programs',
      hint: 'Use a typed tool such as kubectl-rollout, or hand it over to a person.',
    },
  );
}

function launchOf({ program, args, cwd }: Launch): Launch {
  return { program, args, cwd };
}

function grammarOf(program: string, facts: Facts): ProgramGrammar {
  const grammar = facts.programs[program];
  if (grammar) return grammar;
  throw new HoldpointError('denied', `${program} is no longer among the known programs.`, {
    rule: 'programs',
    hint: 'Ask again: a call is planned with the programs that are known now.',
  });
}

/** What the launch reaches beyond its arguments: where links lead, and every file of a folder that is read whole. */
async function reached({ cwd, folder, paths }: Classified, files: FilesPort): Promise<Target[]> {
  if (folder === 'workspace' && cwd !== '.') {
    const { type, real } = await files.look(cwd);
    if (type !== 'folder' || real !== cwd)
      throw new HoldpointError('invalid_input', `cwd ${cwd} is no folder, or is reached through a link.`, {
        hint: 'Give a folder of the workspace itself.',
      });
  }
  const found = await Promise.all(
    paths.map((path) => (path.kind === 'tree' ? filesIn(path, files) : leadsTo(path, files))),
  );
  return found.flat();
}

async function leadsTo({ path, kind, effect }: ProcessPath, files: FilesPort): Promise<Target[]> {
  if (kind === 'name') return [];
  const { real, type } = await files.look(path);
  if (type === 'folder')
    throw new HoldpointError('invalid_input', `${path} is a folder; a file is needed here.`, {
      hint: 'Name the files one by one.',
    });
  return withReal(fileTarget(path, effect), real);
}

async function filesIn({ path, effect }: ProcessPath, files: FilesPort): Promise<Target[]> {
  const tree = await files.look(path);
  if (tree.type !== 'folder' || tree.real !== path)
    throw new HoldpointError('invalid_input', `${path} is no folder, or is reached through a link.`, {
      hint: 'Name a folder of the workspace itself.',
    });
  const { entries, refused, cut } = await files.list(tree, { recursive: true, respectIgnore: false, limit: MAX_TREE });
  if (cut)
    throw new HoldpointError('invalid_input', `${path} holds more than ${MAX_TREE} files.`, {
      hint: 'Name a smaller folder.',
    });
  const link = entries.find((entry) => entry.real !== entry.path);
  const odd = refused[0]?.shown ?? link?.path;
  if (odd !== undefined)
    throw new HoldpointError('denied', `${odd} is a link or no ordinary file, and the program would follow it.`, {
      rule: 'paths',
      hint: `A person takes it out of ${path}, or name another folder.`,
    });
  return entries.filter((entry) => entry.type === 'file').map((entry) => fileTarget(entry.path, effect));
}

async function filesRelied(paths: readonly ProcessPath[], files: FilesPort): Promise<Precondition[]> {
  return Promise.all(
    paths
      .filter(({ kind }) => kind !== 'name')
      .map(async ({ path, kind, effect }) => ({
        id: `${kind}:${path}`,
        says: kind === 'tree' ? `the files in ${path}` : `the content of ${path}`,
        value:
          kind === 'tree'
            ? await treeIdentity(await filesIn({ path, kind, effect }, files), files)
            : await files.identity(await files.look(path)),
      })),
  );
}

/** How many files there are, and one hash over their names and contents. */
async function treeIdentity(found: readonly Target[], files: FilesPort) {
  const identities: string[] = [];
  for (const { id } of found) identities.push(JSON.stringify([id, await files.identity(await files.look(id))]));
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(identities.join('\n')));
  return { files: found.length, sha256: Buffer.from(hash).toString('hex') };
}

/** What the table says it needs: the network when it acts elsewhere, the workspace to write when it changes files. */
function accessOf({ acts, effect, paths }: Classified): Required<Access> {
  const network = acts !== 'local';
  return { network, writes: (!network && effect !== 'read') || paths.some((path) => path.effect !== 'read') };
}

function previewText(
  file: string,
  argv: readonly string[],
  where: string,
  environment: readonly string[],
  sandbox: string,
): string {
  return [
    `program      ${file}`,
    ...argv.map((arg, index) => `argument ${String(index + 1).padEnd(3)} ${JSON.stringify(arg)}`),
    `in           ${where}`,
    `environment  ${environment.join(' ')}`,
    `sandbox      ${sandbox}`,
  ].join('\n');
}
