import { parse } from 'yaml';

import { advance, newRun, setJob } from './github-stages.ts';
import type { Declared, GitHubStore, Outcomes, Row } from './github-stages.ts';

/** One request as it came in. */
export interface SeenRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

interface RouteContext {
  req: { param(name: string): string; raw: Request };
  json(data: unknown, status?: number): Response;
  body(text: null, status: number): Response;
  text(text: string, status?: number): Response;
  redirect(location: string, status?: number): Response;
}

type Route = (context: RouteContext, next: () => Promise<void>) => Promise<Response | void> | Response | void;

/** The emulator's router, as far as it is used here. */
export interface App {
  use(path: string, route: Route): void;
  get(path: string, route: Route): void;
  post(path: string, route: Route): void;
}

/** What the added routes look at; one per server, changed by the test. */
export interface Hooks extends Outcomes {
  requests: SeenRequest[];
  details: { mode: 'given' | 'withheld' | 'refused' };
  advancing: { on: boolean };
  /** Called when a dispatch has been taken, before it is answered: for what somebody else does meanwhile. */
  onDispatch: { call?: () => Promise<void> };
  /** Commit statuses, by commit; the latest of each context. */
  statuses: Map<string, Map<string, { context: string; state: string }>>;
}

const ACTIONS = '/repos/:owner/:repo/actions';

/** Adds what the emulator lacks of GitHub Actions, before its own routes, so that these win. */
export function addActions(app: App, gh: GitHubStore, url: string, hooks: Hooks): void {
  app.use('*', async ({ req }, next) => {
    const { pathname, search } = new URL(req.raw.url);
    const body = req.raw.method === 'GET' ? '' : await req.raw.clone().text();
    const headers = Object.fromEntries(req.raw.headers);
    hooks.requests.push({ method: req.raw.method, path: pathname + search, headers, body });
    await next();
  });

  app.post(`${ACTIONS}/workflows/:workflow_id/dispatches`, async (context) => {
    const { req } = context;
    const workflow = findWorkflow(gh, req.param('workflow_id'));
    if (!workflow) return context.json({ message: 'Not Found' }, 404);
    if (workflow['state'] !== 'active') return refusal(context, 'Workflow is not active');
    const body = (await req.raw.json()) as {
      ref: string;
      inputs?: Record<string, string>;
      return_run_details?: boolean;
    };
    if (hooks.details.mode === 'refused' && body.return_run_details !== undefined)
      return refusal(context, 'Invalid request.\n\n"return_run_details" is not a permitted key.');
    const sha = commitOf(gh, body.ref);
    if (sha === undefined) return refusal(context, `No ref found for: ${body.ref}`);
    const text = await fileAt(url, String(workflow['path']), body.ref, req.raw.headers.get('authorization') ?? '');
    const declared = parse(text ?? '') as Declared | null;
    const on = declared?.on === 'workflow_dispatch' ? { workflow_dispatch: null } : declared?.on;
    if (typeof on !== 'object' || on.workflow_dispatch === undefined)
      return refusal(context, "Workflow does not have 'workflow_dispatch' trigger");
    const inputs = on.workflow_dispatch?.inputs ?? {};
    const given = body.inputs ?? {};
    const unknown = Object.keys(given).filter((name) => !Object.hasOwn(inputs, name));
    if (unknown.length > 0) return refusal(context, `Unexpected inputs provided: ${JSON.stringify(unknown)}`);
    for (const [name, input] of Object.entries(inputs))
      if (input.required === true && input.default === undefined && given[name] === undefined)
        return refusal(context, `Required input '${name}' not provided`);
    const run = newRun(gh, { workflow, branch: body.ref, sha, event: 'workflow_dispatch', text: text ?? '' });
    await hooks.onDispatch.call?.();
    if (body.return_run_details !== true || hooks.details.mode === 'withheld') return context.body(null, 204);
    const address = `${url}/repos/${req.param('owner')}/${req.param('repo')}/actions/runs/${run.id}`;
    return context.json({ workflow_run_id: run.id, run_url: address, html_url: address }, 200);
  });

  app.use(`${ACTIONS}/runs/:run_id`, async ({ req }, next) => {
    if (hooks.advancing.on && req.raw.method === 'GET') advance(gh, Number(req.param('run_id')), hooks);
    await next();
  });

  for (const which of ['rerun', 'rerun-failed-jobs'] as const)
    app.post(`${ACTIONS}/runs/:run_id/${which}`, (context) => {
      const run = gh.workflowRuns.get(Number(context.req.param('run_id')));
      if (!run) return context.json({ message: 'Not Found' }, 404);
      if (run['status'] !== 'completed') return context.json({ message: 'This workflow is already running' }, 403);
      gh.workflowRuns.update(run.id, {
        status: 'queued',
        conclusion: null,
        run_attempt: Number(run['run_attempt']) + 1,
      });
      for (const job of gh.jobs.findBy('run_id', run.id))
        if (which === 'rerun' || job['conclusion'] === 'failure') setJob(gh, job, 'queued', null);
      return context.json({}, 201);
    });

  app.get(`${ACTIONS}/jobs/:job_id/logs`, (context) =>
    hooks.logs.has(Number(context.req.param('job_id')))
      ? context.redirect(`${url}/_logs/${context.req.param('job_id')}`, 302)
      : context.json({ message: 'Not Found' }, 404),
  );
  app.get('/_logs/:job_id', (context) => context.text(hooks.logs.get(Number(context.req.param('job_id'))) ?? ''));
}

/** What people may do, in GitHub's words; the emulator has the words of teams. Nobody else is known. */
const PERMISSIONS: Readonly<Record<string, string>> = { ann: 'admin', bob: 'write' };

/** Adds what the emulator lacks of pull requests: commit statuses, and what a person may do in the repository. */
export function addPulls(app: App, { statuses }: Hooks): void {
  app.post('/repos/:owner/:repo/statuses/:sha', async (context) => {
    const sha = context.req.param('sha');
    const status = (await context.req.raw.json()) as { context: string; state: string };
    statuses.set(sha, new Map(statuses.get(sha)).set(status.context, status));
    return context.json(status, 201);
  });
  app.get('/repos/:owner/:repo/commits/:sha/status', (context) => {
    const sha = context.req.param('sha');
    const latest = [...(statuses.get(sha)?.values() ?? [])];
    const passed = latest.length > 0 && latest.every(({ state }) => state === 'success');
    const failed = latest.some(({ state }) => state === 'failure' || state === 'error');
    const state = failed ? 'failure' : passed ? 'success' : 'pending';
    return context.json({ sha, state, total_count: latest.length, statuses: latest });
  });
  app.get('/repos/:owner/:repo/collaborators/:username/permission', (context) => {
    const permission = PERMISSIONS[context.req.param('username')];
    return permission === undefined
      ? context.json({ message: 'Not Found' }, 404)
      : context.json({ permission, role_name: permission, user: null });
  });
}

function refusal(context: RouteContext, message: string): Response {
  return context.json({ message }, 422);
}

/** A workflow by number or by its file's name. */
export function findWorkflow(gh: GitHubStore, written: string): Row | undefined {
  return gh.workflows
    .all()
    .find(({ id, path }) => String(id) === written || path === written || String(path).endsWith(`/${written}`));
}

/** The commit of a branch or tag. */
function commitOf(gh: GitHubStore, ref: string): string | undefined {
  const row = gh.refs.all().find((each) => each['ref'] === `refs/heads/${ref}` || each['ref'] === `refs/tags/${ref}`);
  return row === undefined ? undefined : String(row['sha']);
}

/** A file of the repository on a branch, over the emulator's own API. */
export async function fileAt(url: string, path: string, ref: string, authorization: string): Promise<string | null> {
  const answer = await fetch(`${url}/repos/acme/shop/contents/${path}?ref=${encodeURIComponent(ref)}`, {
    headers: { authorization },
  });
  if (!answer.ok) return null;
  const { content } = (await answer.json()) as { content: string };
  return Buffer.from(content, 'base64').toString('utf8');
}
