/**
 * MCP conformance: both published suites against Holdpoint itself and against the test server that has the suites' own tools,
 * then two other people's command-line clients against Holdpoint. Ends with 1 when anything is other than expected, an
 * expected failure that passes included. Each scenario and each client's step counts as one test in $HOLDPOINT_TEST_REPORT.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { newPlace, ROOT, startHttp } from '../test/harness.ts';
import { withClientSteps, type ClientStep } from '../test/conformance/clients.ts';
import { withToken } from '../test/conformance/proxy.ts';
import { startConformanceServer } from '../test/conformance/server.ts';
import { runSuite, SUITES, type ScenarioResult } from '../test/conformance/suites.ts';

const counts = { passed: 0, failed: 0, skipped: 0 };

/** Starts something that speaks MCP over HTTP, runs `use`, and takes it down again. */
async function served(
  start: () => Promise<{ url: string; token: string; stop: () => Promise<unknown> }>,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const server = await start();
  const proxy = await withToken(server.url, server.token);
  try {
    await use(proxy.url);
  } finally {
    proxy.close();
    await server.stop();
  }
}

/** Runs both suites against `url`, each with the expected failures in `test/conformance/FILE-REVISION.yaml`. */
async function suites(title: string, file: string, url: string): Promise<void> {
  for (const suite of SUITES) {
    const expected = `test/conformance/${file}-${suite.revision}.yaml`;
    const { results, code, output } = await runSuite(suite, url, join(ROOT, expected));
    console.log(`\n${title}, ${suite.revision}, suite ${suite.version}`);
    const of = (outcome: ScenarioResult['outcome']) => results.filter((result) => result.outcome === outcome);
    for (const { scenario } of of('passed')) console.log(`  ok    ${scenario}`);
    for (const { scenario, reason } of of('expected')) console.log(`  skip  ${scenario} (${reason})`);
    for (const { scenario, reason } of of('failed')) console.log(`  FAIL  ${scenario}: ${reason}`);
    for (const { scenario } of of('stale')) console.log(`  FAIL  ${scenario} passes: take it out of ${expected}`);
    if (of('elsewhere').length > 0)
      console.log(`  ${of('elsewhere').length} more want the suite's own things and count on the test server`);
    const wrong = of('failed').length + of('stale').length;
    counts.passed += of('passed').length;
    counts.skipped += of('expected').length;
    counts.failed += wrong;
    // The suite judges too; the two must agree.
    if (of('passed').length === 0 || (code !== 0) !== wrong > 0) {
      counts.failed += 1;
      console.log(`  FAIL  the suite itself ended with ${code}:\n${output.slice(-3000)}`);
    }
  }
}

async function clients(steps: readonly ClientStep[]): Promise<void> {
  console.log('\nCommand-line clients');
  for (const { name, check } of steps) {
    try {
      await check();
      counts.passed += 1;
      console.log(`  ok    ${name}`);
    } catch (error) {
      counts.failed += 1;
      console.log(`  FAIL  ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

const place = newPlace();
try {
  await served(
    () => startHttp(place),
    (url) => suites('Holdpoint', 'holdpoint', url),
  );
  await served(
    () => startConformanceServer(place),
    (url) => suites("The test server with the suites' tools", 'suite', url),
  );
  await withClientSteps(clients);
} finally {
  place.remove();
}

const { passed, failed, skipped } = counts;
console.log(`\nconformance: ${passed} passed, ${failed} failed, ${skipped} skipped`);
const report = process.env['HOLDPOINT_TEST_REPORT'];
if (report)
  writeFileSync(
    report,
    JSON.stringify({ numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped, numTodoTests: 0 }),
  );
process.exitCode = failed > 0 ? 1 : 0;
