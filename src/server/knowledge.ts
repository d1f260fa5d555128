import { realpathSync } from 'node:fs';

import { createMemory } from '../adapters/memory/client.ts';
import { createEdits } from '../adapters/memory/edits.ts';
import type { MemoryPort } from '../adapters/memory/port.ts';
import type { AuditLog } from '../audit/log.ts';
import { createHandOffs } from '../hand-offs/hand-offs.ts';
import type { Store } from '../store/store.ts';
import type { Services } from './services.ts';

/** What the agents of one workspace know of one another: memories, edits, hand-offs. `folder`: the workspace's, which is there. */
export function createKnowledge(
  store: Store,
  audit: AuditLog,
  folder: string,
): Pick<Services, 'edits' | 'handOffs'> & { memory: MemoryPort } {
  const workspace = realpathSync.native(folder);
  const edits = createEdits({ store, workspace });
  return { edits, memory: createMemory(edits), handOffs: createHandOffs({ store, audit, workspace }) };
}
