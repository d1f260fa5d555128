import { cpSync, existsSync, fstatSync, mkdirSync } from 'node:fs';
import type { Command } from 'commander';
import { destination, pino, type Logger } from 'pino';

import { DEFAULT_ADDRESS, type Config, type Flags } from '../config/config.ts';
import { SAMPLE_WORKSPACE } from '../config/locations.ts';
import { openToken } from '../config/token.ts';
import type { App, AppOptions } from '../server/app.ts';
import { act, sharedOptions } from './command.ts';

interface ServeFlags extends Flags {
  auto?: boolean;
}

/** Milliseconds that running calls get to end after a signal. */
const GRACE = 20_000;

export function register(program: Command): void {
  sharedOptions(program.command('serve'))
    .description('serve MCP to an agent')
    .option('--stdio', 'over standard input and output')
    .option('--http [host:port]', `over Streamable HTTP (${DEFAULT_ADDRESS})`)
    .option('--workspace <dir>', 'the folder that the agent works in (.)')
    .option('--persona <name|file>', 'who the agent is (devops)')
    .option('--policy <name|file>', "the policy, instead of the persona's")
    .option('--tools <persona|all>', "list the persona's tools, or all of them (persona)")
    .option(
      '--auto',
      'stdio when standard input is a pipe or socket, else HTTP; over the sample workspace unless --workspace is given',
    )
    .addHelpText(
      'after',
      '\nEvery option can be given as HOLDPOINT_NAME in the environment or in the settings file, too.',
    )
    .action((flags: ServeFlags) => act(flags, (config) => serve(flags.auto ? autoConfig(config, flags) : config)));
}

/** `pnpm start`: the transport by what standard input is, the workspace a copy of the sample, never the clone itself. */
function autoConfig(config: Config, flags: ServeFlags): Config {
  const given = flags.workspace ?? config.environment['HOLDPOINT_WORKSPACE'];
  const workspace = given ? config.workspace : sampleWorkspace(config.state);
  if (config.transport.kind !== 'unset') return { ...config, workspace };
  const input = fstatSync(0);
  if (!input.isFIFO() && !input.isSocket()) return { ...config, workspace, transport: httpDefault() };
  process.stderr.write(
    'holdpoint: speaking MCP on standard input and output, as a client started it; for HTTP, run it in a terminal or add --http\n',
  );
  return { ...config, workspace, transport: { kind: 'stdio' } };
}

/** The sample workspace, copied once to where the agent may change it. */
export function sampleWorkspace(state: string): string {
  const folder = `${state}-sample`;
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true });
    cpSync(SAMPLE_WORKSPACE, folder, { recursive: true });
  }
  return folder;
}

function httpDefault(): Config['transport'] {
  const [host = '', port = ''] = DEFAULT_ADDRESS.split(':');
  return { kind: 'http', host, port: Number(port) };
}

async function serve(config: Config): Promise<void> {
  // stdout belongs to JSON-RPC; a log line written before the process dies is worth more than a fast one.
  await runServer(config, pino({ level: config.log }, destination({ dest: 2, sync: true })));
}

/** Starts a server on the configured transport; `parts` are for tests that put fakes behind the ports. */
export async function runServer(
  config: Config,
  log: Logger,
  parts: Pick<AppOptions, 'ports' | 'kubernetes'> = {},
): Promise<void> {
  const { createApp } = await import('../server/app.ts');
  const { transport } = config;
  if (transport.kind !== 'http') return serveStdio(await createApp({ ...parts, config, log }), config, log);
  const { createMetrics } = await import('../server/metrics.ts');
  let app: App | undefined;
  const metrics = await createMetrics(
    async () => (await app?.services.approvals.list({ states: ['pending'] }))?.length ?? 0,
  );
  app = await createApp({ ...parts, config, log, observe: metrics.observe });
  return serveHttp(app, { ...config, transport }, log, metrics.text);
}

async function serveStdio(app: App, config: Config, log: Logger): Promise<void> {
  const [{ startStdio }, { createMcpFactory }] = await Promise.all([
    import('../transports/stdio.ts'),
    import('../server/mcp.ts'),
  ]);
  const stop = stopOnce(app, log);
  startStdio({
    factory: createMcpFactory({ ...app, transport: 'stdio', list: config.tools, person: config.user }),
    stdin: process.stdin,
    stdout: process.stdout,
    malformed: malformedOf(app),
    onerror: (err) => log.warn({ err }, 'stdio'),
    onclose: () => void stop(),
  });
}

async function serveHttp(
  app: App,
  config: Config & { transport: { kind: 'http'; host: string; port: number } },
  log: Logger,
  metrics: () => Promise<string>,
): Promise<void> {
  const [{ startHttp }, { createMcpFactory }] = await Promise.all([
    import('../transports/http.ts'),
    import('../server/mcp.ts'),
  ]);
  const token = openToken(config);
  const server = await startHttp({
    ...config.transport,
    tokens: [{ name: 'http', value: token }],
    tokensConfigured: config.httpAuth.token !== undefined,
    allowedHosts: config.httpAuth.allowedHosts,
    factory: createMcpFactory({ ...app, transport: 'http', list: config.tools, person: config.user }),
    ready: async () =>
      app.services.audit.broken()?.message ??
      (await app.services.policies.current().then(
        () => undefined,
        (error: Error) => error.message,
      )),
    metrics,
    malformed: malformedOf(app),
    onerror: (err) => log.warn({ err }, 'http'),
  });
  stopOnce(app, log, server.close);
  const snippet = {
    mcpServers: {
      holdpoint: { type: 'http', url: `${server.url}/mcp`, headers: { Authorization: `Bearer ${token}` } },
    },
  };
  console.log(
    [
      `Holdpoint serves MCP at ${server.url}/mcp as ${app.services.persona.name}, in ${config.workspace}`,
      `Token: ${token}`,
      '',
      `For your client (Claude Code: claude mcp add --transport http holdpoint ${server.url}/mcp --header "Authorization: Bearer ${token}"):`,
      JSON.stringify(snippet, null, 2),
      '',
      'Held calls wait for you. Once: holdpoint approver add NAME. Then: holdpoint approvals list, and',
      `holdpoint approvals approve ID --as NAME${config.environment['HOLDPOINT_STATE'] ? '' : ` --state ${config.state}`}   (in a clone: node_modules/.bin/node src/main.ts approvals …)`,
    ].join('\n'),
  );
}

/** Stops on SIGINT, SIGTERM or when called: no new calls, running ones end, everything is written. */
function stopOnce(app: App, log: Logger, close: () => Promise<void> = async () => {}): () => Promise<void> {
  let stopping: Promise<void> | undefined;
  const stop = () =>
    (stopping ??= (async () => {
      setTimeout(() => {
        log.error('calls still run; stopping without them');
        process.exit(1);
      }, GRACE).unref();
      await close();
      await app.stop();
      process.exit(0);
    })().catch((err: unknown) => {
      log.error({ err }, 'stopping failed');
      process.exit(1);
    }));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());
  return stop;
}

/** What was no message still leaves a trace. */
function malformedOf({ services }: App): (reason: string, begins: string) => void {
  return (reason, begins) => {
    services.audit.append({ kind: 'received', data: { malformed: reason, begins: services.redactor.text(begins) } });
  };
}
