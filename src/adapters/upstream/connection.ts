import { asHoldpointError, HoldpointError } from '../../core/errors.ts';
import type { Surroundings } from './launch.ts';
import { connect, type Session, type Within } from './session.ts';
import type { UpstreamServer } from './servers.ts';

/** Milliseconds between attempts to start: twice as long after each that failed. */
const FIRST = 1000;
const LONGEST = 60_000;

export interface Connection {
  /**
   * Does something in the session, which is made where there is none and not stopped meanwhile.
   *
   * @param signal of who asks: a call that was given up says nothing about the server.
   * @throws as `connect` and `act`, and `unavailable` while the last failure to start is too recent.
   */
  use<T>(act: (session: Session) => Promise<T>, signal: AbortSignal): Promise<T>;
  close(): Promise<void>;
}

/** Whether a session is of no more use: it cannot be spoken through, or what was asked of it alone was never answered. */
function isLost(error: unknown, using: number): boolean {
  if (!(error instanceof HoldpointError)) return false;
  return error.code === 'unavailable' || (error.code === 'timeout' && using === 1);
}

export interface ConnectionOptions {
  server: UpstreamServer;
  around: Surroundings;
  within: Within & { stopAfter: number };
  /** Called with every new session before anybody uses it, and when the server says that its tools changed. */
  check: (session: Session) => Promise<void>;
  log: (level: 'warn' | 'info', fields: Record<string, unknown>, message: string) => void;
}

/** One server: started at its first use, once at a time, again after it ended, stopped when it is not used any more. */
export function connection({ server, around, within, check, log }: ConnectionOptions): Connection {
  const { key } = server;
  /** Made or being made; of the one that was made, `live`. */
  let session: Promise<Session> | undefined;
  let live: Session | undefined;
  let failures = 0;
  let notBefore = 0;
  let using = 0;
  let closed = false;
  let idle: NodeJS.Timeout | undefined;
  let checking: Promise<void> | undefined;
  let ending = Promise.resolve();

  const start = async (): Promise<Session> => {
    let made: Session | undefined;
    try {
      made = await connect(server, around, within, {
        closed() {
          if (live === undefined || live !== made) return;
          live = session = undefined;
          log('info', { upstream: key }, 'an upstream server ended');
        },
        changed() {
          const now = live;
          if (now === undefined || now !== made) return;
          // Several at once are one.
          checking ??= check(now)
            .catch((thrown: unknown) => {
              // What the server wrote may be in the message, and a log is not masked.
              const { code } = asHoldpointError(thrown);
              log('warn', { upstream: key, code }, 'the tools of an upstream could not be read');
            })
            .finally(() => (checking = undefined));
        },
      });
      await check(made);
      live = made;
      failures = 0;
      log('info', { upstream: key, says: made.says }, 'an upstream server was started');
      return made;
    } catch (error) {
      await made?.close().catch(() => {});
      notBefore = Date.now() + Math.min(LONGEST, FIRST * 2 ** failures++);
      throw error;
    }
  };

  const open = async (): Promise<Session> => {
    if (closed) throw new HoldpointError('unavailable', 'Holdpoint is stopping.');
    if (!session) {
      const wait = notBefore - Date.now();
      if (wait > 0)
        throw new HoldpointError('unavailable', `The upstream ${key} could not be started or reached a moment ago.`, {
          hint: `It is tried again in ${Math.ceil(wait / 1000)} s; the operator looks at it with "holdpoint upstream test ${key}".`,
        });
      const starting = start();
      session = starting;
      starting.catch(() => {
        if (session === starting) session = undefined;
      });
    }
    const found = await session;
    await checking;
    return found;
  };

  /** Ends the session as it is now; a new one may be made meanwhile. */
  const stop = (): Promise<void> => {
    const [running, before] = [session, ending];
    live = session = undefined;
    ending = (async () => {
      await (await running?.catch(() => undefined))?.close().catch(() => {});
      await before;
    })();
    return ending;
  };

  return {
    async use(act, signal) {
      using++;
      clearTimeout(idle);
      let mine: Promise<Session> | undefined;
      try {
        const found = await open();
        mine = session;
        return await act(found);
      } catch (error) {
        if (mine !== undefined && mine === session && !signal.aborted && isLost(error, using)) await stop();
        throw error;
      } finally {
        if (--using === 0 && !closed) {
          idle = setTimeout(() => {
            if (using === 0) void stop();
          }, within.stopAfter);
          idle.unref();
        }
      }
    },
    async close() {
      closed = true;
      clearTimeout(idle);
      await stop();
    },
  };
}
