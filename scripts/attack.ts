/**
 * `pnpm attack [--only ID|CLASS …] [--server "COMMAND" --map FILE] [--json] [--jobs N]`: runs the corpus against the built
 * server, or another one by a map of its tools, and prints a table. Exit code 1 where something escaped or a twin failed.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { ROOT } from '../test/harness.ts';
import { loadCases, type Attack } from '../test/attack/case.ts';
import type { Transport } from '../test/attack/connect.ts';
import { runAttack, type Outcome } from '../test/attack/run.ts';
import { loadMap, type ServerMap } from '../test/attack/server-map.ts';
import { problems, table, type Row } from '../test/attack/table.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    server: { type: 'string' },
    map: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(Math.max(1, availableParallelism())) },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  console.log(`Usage: pnpm attack [--only ID|CLASS]... [--map FILE]... [--server "COMMAND"] [--jobs N] [--json]

  --only    a case's id or the beginning of a class; may be given several times
  --map     test/attack/maps/NAME.yaml: how a server's tools do what the cases ask for; several give one column each
  --server  the server's command instead of the map's own; {workspace}, {home} and {config} are filled in
  --json    the outcomes as JSON lines instead of the table`);
  process.exit(0);
}

const maps = (values.map.length > 0 ? values.map : [join(ROOT, 'test/attack/maps/holdpoint.yaml')]).map(loadMap);
const [first] = maps;
if (values.server !== undefined && first) first.command = values.server.split(/\s+/).filter(Boolean);

const wanted = (id: string, group: string) =>
  values.only.length === 0 || values.only.some((each) => id === each || group.startsWith(each));
const cases = loadCases().flatMap((file) =>
  file.cases.filter(({ id }) => wanted(id, file.class)).map((attack) => ({ group: file.class, attack })),
);
if (cases.length === 0) {
  console.error('No case has such an id or class; the classes are the names in test/attack/cases/*.yaml.');
  process.exit(2);
}

const rows: Row[] = [];
for (const map of maps) rows.push(...(await all(map)));

async function all(map: ServerMap): Promise<Row[]> {
  const jobs = cases.flatMap(({ group, attack }) =>
    attack.transports
      .filter((transport) => map.transports[transport])
      .map((transport) => ({ group, attack, transport })),
  );
  const found: Row[] = [];
  const next = jobs.values();
  const worker = async () => {
    for (const { group, attack, transport } of next) {
      const outcome = await attempt(attack, map, transport);
      found.push({ server: map.name, group, ...outcome });
      if (process.stderr.isTTY) process.stderr.write(`\r${map.name}: ${found.length} of ${jobs.length} `);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
  if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');
  return found;
}

/** A server that does not start, or a case that cannot be set up, is a failed case, not the end of the run. */
async function attempt(attack: Attack, map: ServerMap, transport: Transport): Promise<Outcome> {
  try {
    return await runAttack(attack, map, transport);
  } catch (error) {
    const wrong = [`the case did not run: ${error instanceof Error ? error.message : String(error)}`];
    return { id: attack.id, transport, calls: 0, escapes: [], wrong, twin: ['not tried'] };
  }
}

console.log(values.json ? rows.map((row) => JSON.stringify(row)).join('\n') : `${problems(rows)}${table(rows)}`);
const failed = rows.filter(({ escapes, wrong, twin }) => escapes.length + wrong.length + twin.length > 0).length;
const none = rows.filter(({ calls, wrong }) => calls === 0 && wrong.length === 0).length;
const report = process.env['HOLDPOINT_TEST_REPORT'];
if (report)
  writeFileSync(
    report,
    JSON.stringify({
      numPassedTests: rows.length - failed - none,
      numFailedTests: failed,
      numPendingTests: none,
      numTodoTests: 0,
    }),
  );
process.exitCode = failed > 0 ? 1 : 0;
