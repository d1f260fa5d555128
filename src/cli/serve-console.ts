import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';

import type { Config } from '../config/config.ts';
import type { App } from '../server/app.ts';

/** The handler of `/console`: nothing of the console is loaded before its first request. */
export function lazyConsole(
  { services, store }: App,
  config: Config,
  log: Logger,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  let opened: Promise<(request: IncomingMessage, response: ServerResponse) => Promise<void>> | undefined;
  const open = async () => {
    const [{ createConsole }, { openApprovers }] = await Promise.all([
      import('../console/console.ts'),
      import('../approvals/approvers.ts'),
      services.redactor.ready(),
    ]);
    return createConsole({
      approvals: services.approvals,
      approvers: openApprovers(config.keys),
      audit: services.audit,
      store,
      redact: services.redactor.text,
      keysDir: config.keys,
      publicUrl: config.console.url,
      session: config.console.session,
      log: (err) => log.error({ err }, 'console'),
    });
  };
  return async (request, response) => (await (opened ??= open()))(request, response);
}
