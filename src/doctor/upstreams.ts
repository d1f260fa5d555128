import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Session } from '../adapters/upstream/session.ts';
import { HoldpointError } from '../core/errors.ts';
import { loadPersona } from '../personas/persona.ts';
import type { KnownServer, Upstreams } from '../server/upstreams.ts';
import { failed, type Check, type Context, type Finding } from './check.ts';

/** Milliseconds to start, within what one check may take: the rest is for stopping. */
const START = 4000;

/** Every other MCP server that the persona may use: accepted, to be started, and still what was accepted. */
export const upstreams: Check = {
  what: 'upstreams',
  async run(context) {
    const { config } = context;
    const persona = await loadPersona(config.persona);
    if (config.upstreams.file === undefined && persona.upstreams.length === 0)
      return [{ level: 'off', what: 'upstreams', detail: 'not configured', fix: 'Name a file with --mcp-config.' }];
    const { readUpstreams } = await import('../server/upstreams.ts');
    const all = readUpstreams(config, persona);
    const missing = all.missing.map((name): Finding => ({
      level: 'off',
      what: `upstream ${name}`,
      detail: 'the persona may use it, and no file names it',
      fix: 'Name it in the file of --mcp-config, or leave it.',
    }));
    const known = await Promise.all(
      all.known.filter(({ allowed }) => allowed).map((each) => checkServer(each, all, context)),
    );
    return [...known, ...missing];
  },
};

async function checkServer(known: KnownServer, all: Upstreams, { config, signal }: Context): Promise<Finding> {
  const { server, accepted, same, tools } = known;
  const what = `upstream ${server.key}`;
  if (server.problem !== undefined)
    return { level: 'fail', what, detail: server.problem, fix: `Correct its entry in ${server.file}.` };
  if (known.damaged !== undefined) return { level: 'fail', what, detail: known.damaged, fix: acceptFix(server.key) };
  const [{ connect }, { connecting }, { differences }] = await Promise.all([
    import('../adapters/upstream/session.ts'),
    import('../server/upstream-serving.ts'),
    import('../adapters/upstream/compare.ts'),
  ]);
  const { around, within } = connecting(config, all);
  // Its own folders where it has some; nothing is made that stays.
  const passing = existsSync(join(around.folders, server.key))
    ? undefined
    : await mkdtemp(join(tmpdir(), 'holdpoint-'));
  let session: Session | undefined;
  try {
    const limits = { ...within, startWithin: Math.min(START, within.startWithin) };
    session = await connect(server, { ...around, ...(passing && { folders: passing }) }, limits, {
      closed: () => {},
      changed: () => {},
    });
    const definitions = await session.list(signal);
    if (!accepted)
      return { level: 'warn', what, detail: 'starts; not accepted, so it has no tools', fix: acceptFix(server.key) };
    if (!same)
      return { level: 'warn', what, detail: 'accepted for another command or address', fix: acceptFix(server.key) };
    const found = differences(
      accepted.tools.map((tool) => tool.definition),
      definitions,
    );
    if (found.length > 0)
      return {
        level: 'warn',
        what,
        detail: `starts; ${found.length} of its tools are not what was accepted, and are not called`,
        fix: `holdpoint upstream diff ${server.key}, and then: ${acceptFix(server.key)}`,
      };
    return { level: 'ok', what, detail: `starts; ${tools.length} tools, all as accepted` };
  } catch (thrown) {
    // It may only be slow: npx fetches at the first start.
    const isSlow = thrown instanceof HoldpointError && thrown.code === 'timeout';
    return failed(what, thrown, isSlow ? 'warn' : 'fail', `holdpoint upstream test ${server.key}`);
  } finally {
    await session?.close();
    if (passing !== undefined) await rm(passing, { recursive: true, force: true });
  }
}

function acceptFix(name: string): string {
  return `holdpoint upstream accept ${name}`;
}
