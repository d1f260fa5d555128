import { delimiter } from 'node:path';
import { expect, test } from 'vitest';

import { createProcesses } from '../../../src/adapters/processes/client.ts';
import { createRedactor } from '../../../src/redact/redact.ts';
import { grammarFor, newFolder, OWNER, put } from './kit.ts';

test('C3 a private key printed line by line, and read in several reads, comes out in none, as output or as progress', async () => {
  const bin = newFolder();
  const sign = (what: string) => `-----${what} RSA PRIVATE KEY-----`;
  const body = Array.from({ length: 24 }, (_, at) => `planted${'aB3d'.repeat(14)}${String.fromCharCode(65 + at)}`);
  const lines = [sign('BEGIN'), ...body, sign('END')].map((line) => `echo '${line}'; sleep 0.05`).join('\n');
  put(bin, 'slow-key', `#!/bin/sh\necho before\n${lines}\necho after\n`, 0o755);
  const processes = createProcesses({
    workspace: newFolder(),
    environment: { PATH: `${bin}${delimiter}/usr/bin:/bin` },
    mask: createRedactor([]).stream,
  });
  const grammar = grammarFor('slow-key', '');
  const { executable } = await processes.examine(grammar);
  const id = await processes.start({ grammar, executable, argv: [], cwd: '.' }, OWNER);
  const seen: string[] = [];
  const outputs: string[] = [];
  for (let state = 'running'; state === 'running';) {
    const report = await processes.read(id, OWNER, { waitMs: 200, maxBytes: 4000, onLine: (line) => seen.push(line) });
    outputs.push(report.output);
    ({ state } = report);
  }
  await processes.close();
  expect(outputs.length).toBeGreaterThan(2);
  expect(outputs.join('')).toBe(`before\n${'[redacted]\n'.repeat(26)}after\n`);
  expect(seen.filter((line) => line === '[redacted]').length).toBeGreaterThan(20);
  expect(seen.join('\n')).not.toContain('planted');
});
