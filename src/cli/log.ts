import { destination, pino, type Logger } from 'pino';

import type { Config } from '../config/config.ts';
import type { Json } from '../core/json.ts';
import { createRedactor, knownSecrets } from '../redact/redact.ts';

type LogConfig = Pick<Config, 'log' | 'environment' | 'secrets'>;

/**
 * The server's own log: JSON lines on stderr, each masked as it is written, whoever wrote it; an error's stack and causes
 * may quote anything. Written at once, since a line before the process dies is worth more than a fast one. Made at its first
 * use, which the start need not wait for.
 */
export function createLog(config: LogConfig): Logger {
  let log: Logger | undefined;
  return new Proxy({} as Logger, { get: (_, name): unknown => Reflect.get((log ??= logOf(config)), name) });
}

function logOf(config: LogConfig): Logger {
  const redactor = createRedactor(knownSecrets(config));
  const stderr = destination({ dest: 2, sync: true });
  return pino(
    { level: config.log },
    {
      write(line) {
        stderr.write(`${JSON.stringify(redactor.json(JSON.parse(line) as Json))}\n`);
      },
    },
  );
}
