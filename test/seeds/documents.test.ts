import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const FOLDER = join(import.meta.dirname, 'documents');

/** The documents are others' and count as they came: no formatter, editor or line ending may change a byte of them. */
const AS_THEY_CAME = {
  's0-tta-chat-mode.md': '108eef79b985b7944d37b64cc4c377ba6bc17323f3450bef97e9513b6320aa81',
  's1-tta-chat-mode-scoped.md': 'acee34f08008315396b3deeb10201262ca42a6759cc2774dbfc2f9d97cae0622',
  's2-orchestra-guide.md': '24656ff603f5cd7eb57bf95b84306e50cfaa7f2a3f31e455b354074bda3139ca',
  's3-battra-persona.md': 'c8475fe2890978026c1e1855bbdd7f18caff7609c73ec462cb52a760c57bf568',
  's4-pdlc-sub-agent.md': '55f1f0bad9800786292ac5117e1fbaa34e1ceecf8c36abc60734c9b25e2a6ebe',
};

test('the seed documents are the bytes that they came as (B1)', () => {
  const found = readdirSync(FOLDER).map((name) => [
    name,
    createHash('sha256')
      .update(readFileSync(join(FOLDER, name)))
      .digest('hex'),
  ]);
  expect(Object.fromEntries(found)).toEqual(AS_THEY_CAME);
});
