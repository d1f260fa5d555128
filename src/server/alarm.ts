import type { GlassEvent } from '../approvals/break-glass.ts';

/** Milliseconds that the webhook may take. */
const LIMIT = 5000;

export type Tell = (level: 'error', fields: Record<string, unknown>, message: string) => void;

export interface Alarm {
  /** To the log at once, and to the webhook. */
  sound: (event: GlassEvent) => void;
  /** Resolves when everything is told, or has failed; a command waits for it before it ends. */
  told: () => Promise<void>;
}

/**
 * Tells of broken glass: at the level `error`, and as JSON to the address of the setting `alerts.webhook`. That nobody is
 * reached there stops nothing: what happened is in the audit log, and its review stays open.
 *
 * @param redact over every text that goes out
 */
export function createAlarm(
  webhook: string | undefined,
  redact: (text: string) => string,
  tell: Tell,
  send: typeof fetch = fetch,
): Alarm {
  const sending = new Set<Promise<void>>();
  return {
    sound(event) {
      const said = Object.fromEntries(
        Object.entries(event).map(([name, value]) => [name, typeof value === 'string' ? redact(value) : value]),
      );
      const what = event.event === 'approved' ? 'the glass was broken' : 'what broken glass let through runs now';
      tell('error', { ...said, audit: 'approval.glass-broken' }, what);
      // That it runs is told to the log alone: the webhook has been told when the glass was broken.
      if (webhook === undefined || event.event !== 'approved') return;
      const sent = post(webhook, { type: 'holdpoint.break-glass', ...said }, send).catch((err: unknown) =>
        tell('error', { approval: event.request, reason: reasonOf(err) }, 'the webhook of alerts was not reached'),
      );
      sending.add(sent);
      void sent.finally(() => sending.delete(sent));
    },
    async told() {
      await Promise.allSettled(sending);
    },
  };
}

async function post(url: string, body: object, send: typeof fetch): Promise<void> {
  const answer = await send(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    redirect: 'error',
    signal: AbortSignal.timeout(LIMIT),
  });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`it answered ${answer.status}`);
}

/** Not the error as it is: the address may hold a token. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it failed';
  if (error.name === 'TimeoutError') return `no answer within ${LIMIT / 1000} s`;
  return error.message.startsWith('it answered') ? error.message : 'it cannot be reached';
}
