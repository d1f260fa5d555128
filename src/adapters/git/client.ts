import type { ProgramGrammar } from '../../core/programs.ts';
import { createPreparation, type SandboxSettings } from '../processes/port.ts';
import { createCommitting } from './committing.ts';
import { createLooking } from './looking.ts';
import type { GitPort } from './port.ts';
import { createPushing } from './pushing.ts';
import { createWithin, strictGrammar } from './repository.ts';

export interface GitSettings {
  /** The workspace's folder. */
  workspace: string;
  /** The operator's environment; what is needed is picked from it by name: PATH, HOME for the identity, SSH_AUTH_SOCK, proxies. */
  environment: Readonly<Record<string, string>>;
  /** How git is run: `policies/programs/git.yaml`. */
  grammar: ProgramGrammar;
  /** The token for pushing over https to this host, such as `github.com`. */
  credentials?: { host: string; token: string };
  /** As for programs: git runs in it, but for what talks to remotes. */
  sandbox?: SandboxSettings;
}

/** The workspace's repository; see GitPort. Cheap: nothing is looked at before the first use. */
export function createGit(settings: GitSettings): GitPort & { close(): Promise<void> } {
  const { workspace, environment, grammar, sandbox } = settings;
  const preparation = createPreparation({ workspace, environment, ...(sandbox ? { sandbox } : {}) });
  const within = createWithin(preparation, strictGrammar(grammar));
  return {
    ...createLooking(within),
    ...createCommitting(within, settings),
    ...createPushing(within, settings),
    close: () => preparation.close(),
  };
}
