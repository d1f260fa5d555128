import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

import { RULES } from '../../../src/adapters/diagnostics/diagnose.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../../docs/diagnostics.md'), 'utf8');

test.for(Object.entries(RULES))(
  'docs/diagnostics.md has every rule for a %s, with its severity, and no other (C6)',
  ([kind, rules]) => {
    const section = page.split(/^## /m).find((each) => each.startsWith(`Rules: ${kind}`)) ?? '';
    const listed = [...section.matchAll(/^\| `([\w-]+)` \| (\w+)/gm)].map(([, id, severity]) => `${id} ${severity}`);
    expect(listed).toEqual(rules.map(({ id, severity }) => `${id} ${severity}`));
  },
);
