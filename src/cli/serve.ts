import { fstatSync } from 'node:fs';
import type { Command } from 'commander';
import type { Logger } from 'pino';

import { DEFAULT_ADDRESS, DEFAULT_HTTP, type Config, type Flags } from '../config/config.ts';
import { openTokens, tokensConfigured } from '../config/token.ts';
import { VERSION } from '../config/version.ts';
import { HoldpointError } from '../core/errors.ts';
import type { App, AppOptions } from '../server/app.ts';
import type { Metrics } from '../server/metrics.ts';
import type { HttpOptions } from '../transports/http.ts';
import { banner } from './banner.ts';
import { act, sharedOptions } from './command.ts';
import { createLog } from './log.ts';
import { withPersona } from './persona-document.ts';
import { sampleWorkspace } from './sample.ts';

interface ServeFlags extends Flags {
  auto?: boolean;
}

/** Milliseconds that running calls get to end after a signal: a little more than the longest wait of a tool. */
const GRACE = 55_000;

export function register(program: Command): void {
  sharedOptions(program.command('serve'))
    .description('serve MCP to an agent')
    .option('--stdio', 'over standard input and output')
    .option('--http [host:port]', `over Streamable HTTP (${DEFAULT_ADDRESS})`)
    .option('--workspace <dir>', 'the folder that the agent works in (.)')
    .option('--persona <name|file>', 'who the agent is: a name, a folder, or a persona document (devops)')
    .option('--policy <name|file>', "the policy, instead of the persona's")
    .option('--mcp-config <file>', 'other MCP servers that the persona may use (HOLDPOINT_MCP_CONFIG)')
    .option('--tools <persona|all>', "list the persona's tools, or all of them (persona)")
    .option(
      '--auto',
      'stdio when standard input is a pipe or socket, else HTTP; over the sample workspace unless --workspace is given',
    )
    .addHelpText(
      'after',
      '\nEvery option can be given as HOLDPOINT_NAME in the environment or in the settings file, too.',
    )
    .action((flags: ServeFlags) => act(flags, (config) => serve(flags.auto ? autoConfig(config) : config)));
}

/** `pnpm start`: the transport by what standard input is, the workspace a copy of the sample, never the clone itself. */
function autoConfig(config: Config): Config {
  const workspace = config.given.workspace ? config.workspace : sampleWorkspace(config.state);
  if (config.transport.kind !== 'unset') return { ...config, workspace };
  const input = fstatSync(0);
  if (input.isFIFO() || input.isSocket()) return { ...config, workspace, transport: { kind: 'stdio' } };
  return { ...config, workspace, transport: DEFAULT_HTTP };
}

async function serve(given: Config): Promise<void> {
  const config = await withPersona(given);
  // stdout belongs to JSON-RPC.
  await runServer(config, createLog(config));
}

/** Starts a server on the configured transport; `parts` are for tests that put fakes behind the ports. */
export async function runServer(
  config: Config,
  log: Logger,
  parts: Pick<AppOptions, 'ports' | 'kubernetes'> = {},
): Promise<void> {
  const { createApp } = await import('../server/app.ts');
  const { transport } = config;
  const review = reviewing(config);
  const { reviewUrl } = review;
  if (transport.kind !== 'http') return serveStdio(await createApp({ ...parts, config, log, reviewUrl }), config, log);
  const { createMetrics } = await import('../server/metrics.ts');
  let observe: Metrics['observe'] = () => {};
  const app = await createApp({ ...parts, config, log, reviewUrl, observe: (observation) => observe(observation) });
  const metrics = await createMetrics({
    glass: () => app.services.approvals.glassCounts(),
    approvals: () => app.services.approvals.counts(),
    problem: problemOf(app),
    checkpointsFailing: () => app.checkpointing.failing().length,
    version: VERSION,
    persona: app.services.persona.name,
  });
  ({ observe } = metrics);
  return serveHttp(app, { ...config, transport }, log, metrics.text, review.at);
}

/** Where people look at requests: known once the console is served, or from the settings where another server serves it. */
function reviewing({ console: { enabled, url } }: Config) {
  let address = enabled && url !== undefined ? `${url}/console` : undefined;
  return {
    at: (served: string) => void (address = served),
    reviewUrl: (id: string) => address && `${address}/requests/${id}`,
  };
}

/** What keeps calls from being answered now. */
function problemOf({ services }: App): () => Promise<string | undefined> {
  return async () =>
    services.audit.broken()?.message ??
    (await services.policies.current().then(
      () => undefined,
      (error: Error) => error.message,
    ));
}

async function serveStdio(app: App, config: Config, log: Logger): Promise<void> {
  const [{ startStdio }, { createMcpFactory }, { createMalformed }] = await Promise.all([
    import('../transports/stdio.ts'),
    import('../server/mcp.ts'),
    import('../server/malformed.ts'),
  ]);
  const stop = stopOnce(app, log);
  process.stderr.write('holdpoint: speaking MCP on standard input and output; for HTTP add --http\n');
  startStdio({
    factory: createMcpFactory({ ...app, transport: 'stdio', list: config.tools, person: config.user }),
    stdin: process.stdin,
    stdout: process.stdout,
    malformed: createMalformed(app.services),
    onerror: (err) => log.warn({ err }, 'stdio'),
    onclose: () => void stop(),
  });
}

async function serveHttp(
  app: App,
  config: Config & { transport: { kind: 'http'; host: string; port: number } },
  log: Logger,
  metrics: () => Promise<string>,
  serving: (consoleUrl: string) => void,
): Promise<void> {
  const [
    { startHttp },
    { createMcpFactory },
    { createDoor },
    { createChallenge },
    { createMalformed },
    { lazyConsole },
    { consoleUrl, rememberAddress },
  ] = await Promise.all([
    import('../transports/http.ts'),
    import('../server/mcp.ts'),
    import('../server/door.ts'),
    import('../server/challenge.ts'),
    import('../server/malformed.ts'),
    import('./serve-console.ts'),
    import('../console/address.ts'),
  ]);
  const tokens = openTokens(config);
  const mcp = { ...app, transport: 'http', list: config.tools, person: config.user } as const;
  const options: HttpOptions = {
    ...config.transport,
    tokens,
    ...(config.auth ? { jwt: config.auth } : {}),
    tokensConfigured: tokensConfigured(config),
    allowedHosts: config.httpAuth.allowedHosts,
    factory: createMcpFactory(mcp),
    admit: createDoor(mcp, config.limits),
    challenge: createChallenge(mcp),
    ready: problemOf(app),
    metrics,
    ...(config.console.enabled ? { console: lazyConsole(app, config, log) } : {}),
    malformed: createMalformed(app.services),
    onerror: (err) => log.warn({ err }, 'http'),
  };
  const server = await startHttp(options).catch((error: unknown) => {
    // Nobody asked for the default port: another one serves as well.
    if (config.given.http || !(error instanceof HoldpointError) || error.code !== 'unavailable') throw error;
    return startHttp({ ...options, port: 0 });
  });
  stopOnce(app, log, server.close);
  const page = config.console.enabled ? consoleUrl(server.url, config.console.url) : undefined;
  if (page !== undefined) {
    serving(page);
    rememberAddress(config.keys, page);
  }
  console.log(banner(config, app.services.persona.name, server.url, tokens[0]?.value, page));
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
