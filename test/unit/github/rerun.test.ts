import { expect, test } from 'vitest';

import { traceRerun } from '../../../src/adapters/github/port.ts';
import type { Run } from '../../../src/adapters/github/port.ts';

const run: Run = {
  id: 1,
  url: '',
  workflow: 'CI',
  title: '',
  path: '.github/workflows/ci.yml',
  event: 'pull_request',
  branch: 'feature/x',
  base: 'main',
  sha: 'abc',
  status: 'completed',
  attempt: 1,
  created: '',
};
const text = (environment: string) => `on: pull_request\njobs: { a: { environment: ${environment} } }`;
const call = { callId: 'c', signal: new AbortController().signal, redact: (each: string) => each };
/** The targets' places of a re-run, with the file's text by commit or branch. */
async function places(over: Partial<Run>, files: Record<string, string>) {
  const file = async (_repository: string, _path: string, at: string) => files[at] ?? null;
  return (await traceRerun({ file }, { ...run, ...over }, 'acme/shop', call)).targets.map(({ at }) => at);
}
const base = { branch: 'feature/x', workflow: 'ci' };

test('I1 a re-run of a pull request takes the strictest of its own file and the base’s', async () => {
  expect(await places({}, { abc: text('dev'), main: text('production') })).toEqual([
    base,
    { githubEnvironment: 'dev' },
    base,
    { githubEnvironment: 'production' },
  ]);
});

test('I1 a file that the base does not have is the pull request’s own', async () => {
  expect(await places({}, { abc: text('dev') })).toEqual([base, { githubEnvironment: 'dev' }]);
});

test('I1 what cannot be known counts as production: another repository’s, chained ones, a file that is gone', async () => {
  const { base: _base, ...foreign } = run;
  const file = async () => text('dev');
  expect((await traceRerun({ file }, foreign, 'acme/shop', call)).targets.at(-1)?.at).toEqual({});
  expect((await places({ event: 'pull_request_target' }, { abc: text('dev') })).at(-1)).toEqual({});
  expect((await places({ event: 'push' }, {})).at(-1)).toEqual({});
  expect(await places({ event: 'push' }, { abc: text('dev') })).toEqual([base, { githubEnvironment: 'dev' }]);
});
