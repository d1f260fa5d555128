import { realpathSync } from 'node:fs';

import { createMemory } from '../adapters/memory/client.ts';
import { createEdits } from '../adapters/memory/edits.ts';
import type { MemoryPort } from '../adapters/memory/port.ts';
import type { Store } from '../store/store.ts';
import type { Services } from './services.ts';

/** What the agents of one workspace know of one another: memories, edits. `workspace`: its folder, which is there. */
export function createKnowledge(store: Store, workspace: string): Pick<Services, 'edits'> & { memory: MemoryPort } {
  const edits = createEdits({ store, workspace: realpathSync.native(workspace) });
  return { edits, memory: createMemory(edits) };
}
