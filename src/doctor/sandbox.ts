import { realpath } from 'node:fs/promises';

import { programFolders } from '../adapters/processes/executable.ts';
import { lookForSandbox, type Found } from '../adapters/processes/sandbox.ts';
import type { Check, Finding } from './check.ts';

const INSTALL =
  'Install bubblewrap 0.7 or newer: apt-get install bubblewrap, dnf install bubblewrap or apk add bubblewrap.';

/** Whether launched programs run in a sandbox: one is really started. */
export const sandbox: Check = {
  what: 'sandbox',
  async run({ config }) {
    const workspace = await realpath(config.workspace);
    const folders = await programFolders(config.environment['PATH'] ?? '', workspace);
    return [describe(config.processes.sandbox, await lookForSandbox(folders, workspace))];
  },
};

function describe(mode: 'auto' | 'required' | 'off', found: Found): Finding {
  const what = 'sandbox';
  if (mode === 'off')
    return {
      level: 'warn',
      what,
      detail: 'switched off: programs see what Holdpoint’s user sees',
      fix: 'Set processes.sandbox (HOLDPOINT_SANDBOX) to auto or required.',
    };
  if (found.state === 'works') return { level: 'ok', what, detail: `bubblewrap at ${found.path}, ${mode}` };
  const without = mode === 'required' ? 'programs are not run' : 'programs run without one';
  const level = mode === 'required' ? 'fail' : 'warn';
  if (found.state === 'absent') return { level, what, detail: `bubblewrap is not installed; ${without}`, fix: INSTALL };
  return {
    level,
    what,
    detail: `${found.path} does not start a sandbox (${found.why}); ${without}`,
    fix: `It needs user namespaces: in a container, a profile that allows them; elsewhere, sysctl user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns. ${INSTALL}`,
  };
}
