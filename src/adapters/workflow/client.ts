import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';

import { HoldpointError } from '../../core/errors.ts';
import type { Definition } from './definition.ts';
import type { WorkflowPort } from './port.ts';

/** @param file The workflow's file; read when it is first asked for. `alone` keeps other servers out meanwhile. */
export function createWorkflow(file: string, alone: WorkflowPort['alone']): WorkflowPort {
  let loaded: Promise<Definition> | undefined;
  return {
    definition() {
      loaded ??= import('./definition.ts')
        .then(({ loadDefinition }) => loadDefinition(file))
        .catch((error: unknown) => {
          loaded = undefined;
          throw error;
        });
      return loaded;
    },
    async template(path) {
      const folder = dirname(file);
      const whole = resolve(folder, path);
      const missing = (cause?: unknown) =>
        new HoldpointError('not_found', `The template ${path} of the workflow cannot be read.`, {
          hint: `Write it beside ${file}, or name another there.`,
          cause,
        });
      if (relative(folder, whole).startsWith('..')) throw missing();
      return readFile(whole, 'utf8').catch((cause: unknown) => {
        throw missing(cause);
      });
    },
    alone,
  };
}
