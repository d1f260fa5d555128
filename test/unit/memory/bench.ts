import { createMemory } from '../../../src/adapters/memory/client.ts';
import { createEdits } from '../../../src/adapters/memory/edits.ts';
import type { Edits } from '../../../src/adapters/memory/edits.ts';
import type { Ports } from '../../../src/core/tool.ts';
import { newFilesBench, type FilesBench } from '../files/bench.ts';

export interface MemoryBench extends FilesBench {
  edits: Edits;
}

/** The files tools' bench with memories and recorded edits. */
export async function newMemoryBench(ports: Partial<Ports> = {}): Promise<MemoryBench> {
  const bench = await newFilesBench(ports);
  const { services, store } = bench.bench;
  const edits = createEdits({ store, workspace: bench.dir });
  services.edits = edits;
  services.ports.memory = createMemory(edits);
  return { ...bench, edits };
}
