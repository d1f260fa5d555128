import type { Envelope } from '../../src/core/envelope.ts';
import { newPlace, serverArgs, startHttp, type Place } from '../harness.ts';
import { packageBin, run, type Ran } from './programs.ts';

/** Where a client finds Holdpoint: an address with a token, or a command to start. */
type Server = { kind: 'HTTP'; url: string; token: string } | { kind: 'stdio'; command: string; args: string[] };

/** Somebody else's command-line client of MCP, pinned, and the arguments that it takes. */
interface CommandLine {
  name: string;
  package: string;
  version: string;
  bin: string;
  list: (server: Server) => string[];
  call: (server: Server, tool: string, args: string) => string[];
}

const inspectorServer = (server: Server): string[] =>
  server.kind === 'HTTP'
    ? ['--cli', '--transport', 'http', '--server-url', server.url, '--header', `Authorization: Bearer ${server.token}`]
    : ['--cli', server.command, ...server.args];

const mcporterServer = (server: Server): string[] =>
  server.kind === 'HTTP'
    ? ['--http-url', server.url, '--allow-http', '--header', `Authorization=Bearer ${server.token}`]
    : ['--name', 'holdpoint', '--stdio', server.command, ...server.args.flatMap((arg) => ['--stdio-arg', arg])];

const COMMAND_LINES: readonly CommandLine[] = [
  {
    name: 'MCP Inspector',
    package: '@modelcontextprotocol/inspector',
    version: '2.12.0',
    bin: 'mcp-inspector',
    // Strict: it ends with an error for a tool schema that some client could not read.
    list: (server) => [...inspectorServer(server), '--method', 'tools/list', '--strict'],
    call: (server, tool, args) => [
      ...inspectorServer(server),
      '--method',
      'tools/call',
      '--tool-name',
      tool,
      '--tool-args-json',
      args,
    ],
  },
  {
    name: 'mcporter',
    package: 'mcporter',
    version: '0.12.3',
    bin: 'mcporter',
    list: (server) => ['list', ...mcporterServer(server), '--json'],
    call: (server, tool, args) => [
      'call',
      ...mcporterServer(server),
      '--tool',
      tool,
      '--args',
      args,
      '--output',
      'json',
    ],
  },
];

const FILE = 'docker/Dockerfile';

export interface ClientStep {
  name: string;
  /** @throws Error that says what was seen instead. */
  check: () => Promise<void>;
}

/** Runs `use` with each client's steps against a Holdpoint of their own. */
export async function withClientSteps(use: (steps: ClientStep[]) => Promise<void>): Promise<void> {
  const place = newPlace();
  try {
    const http = await startHttp(place);
    try {
      const servers: Server[] = [
        { kind: 'HTTP', url: http.url, token: http.token },
        { kind: 'stdio', command: process.execPath, args: serverArgs(place, ['--stdio']) },
      ];
      await use(COMMAND_LINES.flatMap((client) => servers.flatMap((server) => stepsOf(client, server, place))));
    } finally {
      await http.stop();
    }
  } finally {
    place.remove();
  }
}

function stepsOf(client: CommandLine, server: Server, place: Place): ClientStep[] {
  // Its own settings, and what it would keep of the server, go to the place's home.
  const start = async (args: string[]) =>
    run(await packageBin(client.package, client.version, client.bin), args, {
      cwd: place.workspace,
      env: { HOME: place.env['HOME'] ?? '' },
    });
  const call = (tool: string, args: object) => start(client.call(server, tool, JSON.stringify(args)));
  const step = (does: string, check: () => Promise<void>) => ({
    name: `${client.name} over ${server.kind} ${does}`,
    check,
  });
  return [
    step('lists the tools', async () => {
      const ran = await start(client.list(server));
      const names = (json(ran) as { tools?: { name: string }[] }).tools?.map(({ name }) => name);
      const wanted = ['view', 'remove-files', 'approval', 'use-tool'];
      expect(ran, ran.code === 0 && wanted.every((name) => names?.includes(name)));
    }),
    step('reads a file', async () => {
      const ran = await call('view', { path: FILE });
      expect(ran, ran.code === 0 && status(ran) === 'done' && ran.stdout.includes('FROM ${BASE_IMAGE}'));
    }),
    step('sees a held call as approval_required, not as an error', async () => {
      const ran = await call('remove-files', { paths: [FILE] });
      expect(ran, ran.code === 0 && status(ran) === 'approval_required' && /"id": *"apr_/.test(ran.stdout));
    }),
    step('sees a denied call with its reason', async () => {
      const ran = await call('view', { path: '.env' });
      expect(ran, status(ran) === 'denied' && ran.stdout.includes('credential-manager'));
    }),
  ];
}

/** The status of the envelope in the output, wherever the client puts it. */
function status(ran: Ran): string | undefined {
  const shown = json(ran) as Partial<Envelope> & { structuredContent?: Envelope };
  return (shown.structuredContent ?? shown).status;
}

function json(ran: Ran): unknown {
  try {
    return JSON.parse(ran.stdout);
  } catch {
    return expect(ran, false);
  }
}

function expect(ran: Ran, holds: boolean): void {
  if (!holds) throw new Error(`it ended with ${ran.code} and said:\n${ran.output.slice(-1500)}`);
}
