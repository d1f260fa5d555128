import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDocument, YAMLSeq, type Scalar } from 'yaml';

import { packageBin, run } from './programs.ts';

/** A published conformance suite, pinned, and how it is asked for every scenario of one protocol revision. */
export interface Suite {
  revision: string;
  version: string;
  args: readonly string[];
}

export const SUITES: readonly Suite[] = [
  { revision: '2025-11-25', version: '0.1.16', args: ['--suite', 'all'] },
  {
    revision: '2026-07-28',
    version: '0.2.0-alpha.12',
    args: ['--suite', 'all', '--spec-version', '2026-07-28'],
  },
];

export interface ScenarioResult {
  scenario: string;
  /**
   * `expected`: fails as the file of expected failures says. `elsewhere`: the same, for want of what only the suite's own
   * server has. `stale`: passes although the file says that it fails.
   */
  outcome: 'passed' | 'failed' | 'expected' | 'elsewhere' | 'stale';
  /** Why it is expected to fail, or what failed. */
  reason: string;
}

export interface SuiteResult {
  results: ScenarioResult[];
  /** What the suite itself made of the run: 0 when nothing is other than expected. */
  code: number;
  output: string;
}

/** How a reason begins where a scenario wants what the suite's own server has. */
const OWN = /^the suite's own /;

export interface Check {
  id: string;
  status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  errorMessage?: string;
}

/**
 * Runs one suite against a server without authentication at `url`.
 *
 * @param expectedFile YAML as the suite reads it; the comment behind an entry is its reason.
 */
export async function runSuite(suite: Suite, url: string, expectedFile: string): Promise<SuiteResult> {
  const program = await packageBin('@modelcontextprotocol/conformance', suite.version, 'conformance');
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-conformance-'));
  try {
    const args = ['server', '--url', url, ...suite.args, '--expected-failures', expectedFile, '-o', folder];
    const { code, output } = await run(program, args, { cwd: folder });
    const expected = expectedOf(expectedFile);
    const results = [...checksIn(folder)].map(([scenario, checks]) => judge(scenario, checks, expected));
    return { results, code, output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As the suite judges: a warning counts as a failure; an entry may name a scenario, or one check as `scenario:check`. */
export function judge(
  scenario: string,
  checks: readonly Check[],
  expected: ReadonlyMap<string, string>,
): ScenarioResult {
  const bad = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
  const reasonOf = ({ id }: Check) => expected.get(scenario) ?? expected.get(`${scenario}:${id}`);
  const unexpected = bad.filter((check) => reasonOf(check) === undefined);
  if (unexpected.length > 0) return { scenario, outcome: 'failed', reason: unexpected.map(explain).join('; ') };
  const reason = bad.map(reasonOf)[0];
  if (reason !== undefined) return { scenario, outcome: OWN.test(reason) ? 'elsewhere' : 'expected', reason };
  const listed = [...expected.keys()].some((entry) => entry === scenario || entry.startsWith(`${scenario}:`));
  return { scenario, outcome: listed ? 'stale' : 'passed', reason: '' };
}

function explain({ id, errorMessage }: Check): string {
  return errorMessage ? `${id}: ${errorMessage}` : id;
}

/** Each scenario's checks, from the files that the suite writes: `server-SCENARIO-TIME/checks.json`. */
function checksIn(folder: string): Map<string, Check[]> {
  const found = new Map<string, Check[]>();
  for (const name of readdirSync(folder)) {
    const scenario = /^server-(.+)-\d{4}-\d{2}-\d{2}T[\dZ-]+$/.exec(name)?.[1];
    if (scenario !== undefined)
      found.set(scenario, JSON.parse(readFileSync(join(folder, name, 'checks.json'), 'utf8')) as Check[]);
  }
  return found;
}

function expectedOf(file: string): Map<string, string> {
  const entries = parseDocument(readFileSync(file, 'utf8')).get('server');
  if (!(entries instanceof YAMLSeq)) return new Map();
  return new Map(
    (entries.items as Scalar<string>[]).map(({ value, comment }) => [value, comment?.trim() ?? 'no reason given']),
  );
}
