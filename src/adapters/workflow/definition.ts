import { z } from 'zod';

import { readDataFile, type Fault } from '../../config/data-file.ts';

const nodeId = z
  .string()
  .regex(/^[A-Z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*$/, 'write words joined by _, such as Build_Release');
const artifactId = z.string().regex(/^[A-Z]+\d+$/, 'write capital letters and a number, such as INFRA04');
/** One name in the folder of artifacts: its id, a dash, words. */
const fileName = z
  .string()
  .regex(/^[A-Z]+\d+-[a-z0-9]+(?:-[a-z0-9]+)*(?:\.md)?$/, 'write its id, a dash and words, such as R07-version-tag.md');

const artifact = z.strictObject({
  file: fileName,
  title: z.string().min(3),
  /** From the definition's folder. */
  template: z.string().optional(),
  /** The role that delivers it, where no node of this workflow does. */
  from: z.string().min(2).optional(),
  /** A folder of files with their checksums. */
  folder: z.boolean().optional(),
  /** Written from approvals that people gave, and from nothing else. */
  decision: z.enum(['production', 'rollback']).optional(),
});

const node = z.strictObject({
  id: nodeId,
  group: z.string().min(2),
  inputs: z.array(artifactId),
  outputs: z.array(artifactId).min(1),
  next: z.array(nodeId),
  /** Where it goes when it fails: the decision's name, the node that then becomes ready, the artifact that proves the decision. */
  onFailure: z.strictObject({ decision: z.string(), to: nodeId, needs: artifactId }).optional(),
  /** Whether what it gave the last time does for this time. */
  eachTime: z.boolean().default(false),
  steps: z.array(z.string().min(5)).min(1),
});

const schema = z.strictObject({
  version: z.literal(1),
  name: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'write lower-case letters, digits and dashes'),
  artifacts: z.record(artifactId, artifact),
  nodes: z.array(node).min(1).max(100),
});

export type Artifact = z.output<typeof artifact> & { id: string };
export type WorkflowNode = z.output<typeof node>;

/** A workflow: nodes in order, and the artifacts that they take and give. */
export interface Definition {
  name: string;
  nodes: readonly WorkflowNode[];
  artifacts: ReadonlyMap<string, Artifact>;
}

/** @throws HoldpointError `invalid_input` with file and line, `not_found`. */
export async function loadDefinition(file: string): Promise<Definition> {
  const { name, nodes, artifacts } = await readDataFile(file, schema, faultsOf);
  return { name, nodes, artifacts: new Map(Object.entries(artifacts).map(([id, each]) => [id, { ...each, id }])) };
}

function faultsOf({ nodes, artifacts }: z.output<typeof schema>): Fault[] {
  const faults: Fault[] = [];
  const ids = nodes.map(({ id }) => id);
  const makers = new Map<string, string>();
  for (const [index, { id, inputs, outputs, next, onFailure }] of nodes.entries()) {
    const at = (...path: PropertyKey[]) => ['nodes', index, ...path];
    if (ids.indexOf(id) !== index) faults.push({ path: at('id'), says: `the node ${id} is there twice` });
    for (const [key, list] of Object.entries({ inputs, outputs }))
      for (const [where, each] of list.entries())
        if (!Object.hasOwn(artifacts, each))
          faults.push({ path: at(key, where), says: `there is no artifact ${each}` });
    for (const [where, each] of next.entries())
      if (!ids.includes(each)) faults.push({ path: at('next', where), says: `there is no node ${each}` });
    if (onFailure && !ids.includes(onFailure.to))
      faults.push({ path: at('onFailure', 'to'), says: `there is no node ${onFailure.to}` });
    if (onFailure && artifacts[onFailure.needs]?.decision === undefined)
      faults.push({ path: at('onFailure', 'needs'), says: `${onFailure.needs} is no artifact with a decision` });
    for (const [where, each] of outputs.entries()) {
      const other = makers.get(each);
      if (other !== undefined)
        faults.push({ path: at('outputs', where), says: `${each} is an output of ${other} too` });
      makers.set(each, id);
    }
  }
  const cyclic = cycleIn(nodes);
  if (cyclic !== undefined)
    faults.push({ path: ['nodes', ids.indexOf(cyclic), 'next'], says: `${cyclic} comes after itself` });
  for (const [id, { file, template, from, folder, decision }] of Object.entries(artifacts)) {
    const path = ['artifacts', id];
    if (!file.startsWith(`${id}-`)) faults.push({ path: [...path, 'file'], says: `the name must begin with ${id}-` });
    if (file.endsWith('.md') === (folder === true))
      faults.push({ path: [...path, 'file'], says: 'a folder has no .md in its name, and every other artifact has' });
    if ((from === undefined) === !makers.has(id))
      faults.push({ path, says: `${id} is either an output of a node or has "from", the role that delivers it` });
    if (template === undefined && !folder && (from === undefined || decision))
      faults.push({ path, says: `${id} needs a template` });
  }
  return faults;
}

/** A node that its own successors lead back to. */
function cycleIn(nodes: readonly WorkflowNode[]): string | undefined {
  const after = new Map(nodes.map(({ id, next, onFailure }) => [id, [...next, ...(onFailure ? [onFailure.to] : [])]]));
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
    (after.get(from) ?? []).some((each) => {
      if (each === to) return true;
      if (seen.has(each)) return false;
      seen.add(each);
      return reaches(each, to, seen);
    });
  return nodes.find(({ id }) => reaches(id, id))?.id;
}
