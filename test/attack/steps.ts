import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { ROOT } from '../harness.ts';
import type { Step } from './case.ts';
import { merge } from './cluster.ts';
import { connect, overHttp, type Answer, type Connection } from './connect.ts';
import { raw } from './raw.ts';
import { inWorld, type Run } from './running.ts';
import { filled, type Way } from './server-map.ts';
import type { World } from './world.ts';

/** Every tool that can do each of the actions. */
export async function reach(
  run: Run,
  actions: readonly string[],
  values: Record<string, unknown>,
  works: boolean,
): Promise<void> {
  for (const action of actions) for (const way of run.map.actions[action] ?? []) await walk(run, way, values, works);
}

async function walk(run: Run, way: Way, values: Record<string, unknown>, works: boolean): Promise<Answer> {
  const { world } = run;
  const known = inWorld(values, run) as Record<string, unknown>;
  const path = typeof known['path'] === 'string' ? known['path'] : '';
  const all = { ...known, absolute: path.startsWith('/') ? path : join(world.workspace, path) };
  const input = inWorld(filled(way.input, all), run) as Record<string, unknown>;
  const answer = await called(run, run.connection, way.tool, input);
  if (!works) return answer;
  const { status, says, holds, sent } = filled(way.works, all) as Way['works'];
  const fail = (what: string) => run.problems.push(`${way.tool}: ${what}: ${answer.text.slice(0, 300)}`);
  const told = run.map.envelope || status !== 'approval_required';
  if (told && answer.status !== (status ?? 'done')) fail(`${answer.status} instead of ${status ?? 'done'}`);
  if (says !== undefined && !new RegExp(says).test(answer.text)) fail(`it does not say ${says}`);
  if (holds !== undefined && !contains(join(world.workspace, path), holds)) fail(`${path} does not hold ${holds}`);
  if (sent !== undefined && !world.engine.sent.some((bytes) => bytes.includes(sent)))
    fail(`the Engine was not sent ${sent}`);
  return answer;
}

const contains = (file: string, text: string) => existsSync(file) && readFileSync(file, 'utf8').includes(text);

async function called(run: Run, connection: Connection, tool: string, input: Record<string, unknown>): Promise<Answer> {
  run.calls += 1;
  const answer = await connection.call(tool, input);
  run.answers.push(answer.text);
  if (answer.id !== undefined) run.id = answer.id;
  return answer;
}

export async function take(run: Run, step: Step): Promise<void> {
  const { world, map } = run;
  if ('change' in step) return world.change(step.change);
  if ('sql' in step) return database(world, inWorld(step.sql, run) as string[]);
  if ('cluster' in step) {
    for (const [path, patch] of Object.entries(step.cluster)) {
      const object = world.cluster.objects.get(path);
      if (!object) throw new Error(`${run.attack.id}: the recording cluster has no ${path}`);
      merge(object, patch as Record<string, unknown>);
    }
    return undefined;
  }
  if ('act' in step) {
    for (const way of map.actions[step.act] ?? []) judge(run, step, way.tool, await walk(run, way, step.with, false));
    return undefined;
  }
  if ('call' in step) {
    if (step.as === 'other') run.other ??= await another(run);
    const connection = step.as === 'other' && run.other ? run.other : run.connection;
    const input = inWorld(step.input, run) as Record<string, unknown>;
    for (let time = 1; time < step.times; time++) await called(run, connection, step.call, input);
    return judge(run, step, step.call, await called(run, connection, step.call, input));
  }
  if ('together' in step) {
    const answers = await Promise.all(
      step.together.map(({ call, input }) =>
        called(run, run.connection, call, inWorld(input, run) as Record<string, unknown>),
      ),
    );
    const done = answers.filter(({ status }) => status === 'done').length;
    if (step.done !== undefined && done !== step.done)
      run.problems.push(`${done} of the calls at once were done instead of ${step.done}`);
    return undefined;
  }
  if ('person' in step) {
    const args = inWorld(step.person, run) as string[];
    const { code, text } = await person(run, [...args, ...(await ticks(run, args))]);
    if (code !== (step.code ?? 0))
      run.problems.push(`holdpoint ${args.join(' ')} ended with ${code}: ${text.slice(0, 300)}`);
    if (step.says !== undefined && !new RegExp(step.says).test(text))
      run.problems.push(`holdpoint ${args.join(' ')} does not say ${step.says}: ${text.slice(0, 300)}`);
    if (step.not !== undefined && new RegExp(step.not).test(text))
      run.problems.push(`holdpoint ${args.join(' ')} says ${step.not}`);
    run.answers.push(text);
    return undefined;
  }
  return raw(run, step);
}

function judge(run: Run, step: { expect?: unknown; says?: string | undefined }, tool: string, answer: Answer): void {
  const wanted = [step.expect ?? []].flat() as string[];
  const names = new Set(
    wanted.flatMap((each) => (each === 'refused' ? ['denied', 'approval_required', 'stale', 'error'] : [each])),
  );
  // Another server's answers have no such states: the world alone tells.
  if (run.map.envelope && names.size > 0 && !names.has(answer.status))
    run.problems.push(`${tool}: ${answer.status} instead of ${wanted.join(' or ')}: ${answer.text.slice(0, 300)}`);
  if (run.map.envelope && step.says !== undefined && !new RegExp(step.says).test(answer.text))
    run.problems.push(`${tool} does not say ${step.says}: ${answer.text.slice(0, 300)}`);
}

/** Another principal on the same store: the other transport's client. */
async function another(run: Run): Promise<Connection> {
  if (!run.connection.http) return connect(run.map, 'http', run.world);
  const { http } = run.connection;
  await (await overHttp(http.url, http.token)).close();
  return connect(run.map, 'stdio', run.world);
}

/** Who approves in these cases has done everything on the checklist that a person may speak for. */
async function ticks(run: Run, [group, act, id = '']: readonly string[]): Promise<string[]> {
  if (group !== 'approvals' || act !== 'approve') return [];
  const { code, text } = await person(run, ['approvals', 'show', id, '--json']);
  if (code !== 0) return [];
  const { checklist = [] } = JSON.parse(text) as { checklist?: { id: string; phase: string; mayTick: boolean }[] };
  const items = checklist.filter(({ phase, mayTick }) => phase === 'pre' && mayTick).map((item) => item.id);
  return items.length > 0 ? ['--tick', ...items] : [];
}

function person(run: Run, args: readonly string[]): Promise<{ code: number; text: string }> {
  const command = [join(ROOT, 'dist/main.js'), ...args, '--state', join(run.world.root, 'state')];
  return new Promise((done) => {
    execFile(process.execPath, command, { env: run.world.env, cwd: run.world.root }, (error, stdout, stderr) =>
      done({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, text: stdout + stderr }),
    );
  });
}

function database(world: World, statements: readonly string[]): void {
  const folder = join(world.root, 'state');
  const name = readdirSync(folder).find((each) => each.endsWith('.db') || each.endsWith('.sqlite'));
  const store = new DatabaseSync(join(folder, name ?? 'none'));
  try {
    store.exec('PRAGMA busy_timeout = 10000');
    for (const statement of statements) store.exec(statement);
  } finally {
    store.close();
  }
}
