import { realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { createTasks } from '../adapters/tasks/client.ts';
import { createWorkflow } from '../adapters/workflow/client.ts';
import { openApprovers } from '../approvals/approvers.ts';
import type { Approvals } from '../approvals/approvals.ts';
import type { AuditLog } from '../audit/log.ts';
import type { Config } from '../config/config.ts';
import { TASK_RANKING, WORKFLOW } from '../config/locations.ts';
import type { JsonObject } from '../core/json.ts';
import type { Ports } from '../core/tool.ts';
import type { Persona } from '../personas/persona.ts';
import type { Store } from '../store/store.ts';
import { createRecords } from './records.ts';

/** The persona's workflow: its own file, or the one that ships. */
function workflowFile({ workflow, folder }: Pick<Persona, 'workflow' | 'folder'>): string {
  return workflow === undefined ? WORKFLOW : resolve(folder, workflow);
}

/** What binds the agent in its work besides the policy. */
export function flowFiles(persona: Persona): string[] {
  return [dirname(workflowFile(persona)), TASK_RANKING];
}

/** The ports of workflow, ledger and task queue. Nothing is read or sent before the first call. */
export function flowPorts(
  config: Pick<Config, 'tasks' | 'workspace' | 'keys'>,
  persona: Persona,
  parts: { store: Store; audit: AuditLog; approvals: Approvals; redact: (text: string) => string },
): Pick<Ports, 'workflow' | 'records' | 'tasks'> {
  const { store } = parts;
  return {
    // One write transaction of a store runs at a time, whichever server began it.
    workflow: createWorkflow(workflowFile(persona), (work) => store.transaction(work)),
    records: createRecords({
      ...parts,
      approvers: openApprovers(config.keys),
      workspace: workspaceName(config.workspace),
    }),
    tasks: createTasks(config.tasks, TASK_RANKING),
  };
}

/** A workspace as the audit log names it. */
function workspaceName(workspace: string): string {
  return realpathSync(workspace);
}

/** What the audit log says of a server that starts. */
export function startedData(
  persona: Persona,
  policy: string,
  owner: string,
  { workspace }: Pick<Config, 'workspace'>,
): JsonObject {
  return { persona: persona.name, policy, owner, workspace: workspaceName(workspace) };
}
