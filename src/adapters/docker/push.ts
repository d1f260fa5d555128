import { addAbortSignal } from 'node:stream';

import type Docker from 'dockerode';

import { HoldpointError } from '../../core/errors.ts';
import { dialled } from './api.ts';
import { engineError, quoted } from './errors.ts';
import type { Call } from './port.ts';
import { readEvents } from './stream.ts';

export interface PushRequest {
  /** With the registry's host, without the tag. */
  repository: string;
  tag: string;
  /** host[:port] as the reference has it: whose credentials are sent. */
  registry: string;
}

export interface PushUpdate {
  message: string;
  /** Layers that the registry has by now, of how many known so far. */
  done: number;
  total: number;
}

export interface PushedImage {
  /** Of the manifest, as the registry has it: `sha256:…` */
  digest: string;
  /** Layers that were sent. */
  pushed: number;
  /** Layers that the registry had, here or in another repository of its own. */
  existed: number;
}

/** The operator's account at one registry. */
export interface RegistryAccount {
  /** host[:port], in lower case. */
  host: string;
  username: string;
  password: string;
}

/** One event of a push's stream. */
interface PushEvent {
  /** The layer's, where it is about one. */
  id?: string;
  status?: string;
  error?: string;
  errorDetail?: { message?: string };
  aux?: { Digest?: string };
}

const REFUSED =
  /unauthorized|authentication required|no basic auth credentials|denied|forbidden|incorrect username or password/i;

/** Pushes through the Engine, which gets the account of exactly that registry or none. */
export function createPush(host: string, connect: () => Promise<Docker>, accounts: readonly RegistryAccount[]) {
  return async (
    { repository, tag, registry }: PushRequest,
    report: (update: PushUpdate) => void,
    call: Call,
  ): Promise<PushedImage> => {
    const account = accounts.find((each) => each.host === registry);
    const failed = (error: unknown) => pushError(registry, account !== undefined, error);
    try {
      const stream = await dialled(connect, {
        path: `/images/${repository}/push?`,
        method: 'POST',
        // Without a tag every one of the repository's would go.
        options: { tag },
        headers: { 'X-Request-Id': call.callId },
        // The Engine insists on the header, empty or not.
        authconfig: account ? { username: account.username, password: account.password, serveraddress: registry } : {},
        abortSignal: call.signal,
      });
      const output = readPush(report, failed);
      await readEvents(addAbortSignal(call.signal, stream), (event) => output.take(event as PushEvent));
      return output.end();
    } catch (error) {
      const answered = error instanceof Error && 'statusCode' in error && !call.signal.aborted;
      throw answered ? failed(error) : engineError(host, error, call.signal);
    }
  };
}

/**
 * Follows a push's output: counts layers, finds the digest.
 *
 * @param failed the error for what the Engine said.
 */
function readPush(report: (update: PushUpdate) => void, failed: (said: string) => HoldpointError) {
  /** Layer → how it came to be there; null while it is not. */
  const layers = new Map<string, 'pushed' | 'existed' | null>();
  let digest: string | undefined;
  let failure: string | undefined;
  const count = (how: 'pushed' | 'existed') => [...layers.values()].filter((each) => each === how).length;

  return {
    take({ id, status = '', error, errorDetail, aux }: PushEvent): void {
      if (error !== undefined) failure = errorDetail?.message ?? error;
      if (aux?.Digest !== undefined) digest = aux.Digest;
      if (id === undefined) return;
      const how = status.startsWith('Pushed')
        ? 'pushed'
        : /^(?:Layer already exists|Mounted from)/.test(status)
          ? 'existed'
          : null;
      if (layers.get(id)) return;
      layers.set(id, how);
      if (how === null) return;
      const done = count('pushed') + count('existed');
      report({ message: how === 'pushed' ? 'a layer is pushed' : 'a layer was there', done, total: layers.size });
    },
    /** @throws HoldpointError for a push that failed or gave no digest. */
    end(): PushedImage {
      if (failure !== undefined || digest === undefined) throw failed(failure ?? 'it ended without a digest');
      return { digest, pushed: count('pushed'), existed: count('existed') };
    },
  };
}

function pushError(registry: string, configured: boolean, error: unknown): HoldpointError {
  const said = quoted(error);
  if (!REFUSED.test(said))
    return new HoldpointError('upstream', `The push to ${registry} failed. It said: ${said}`, {
      hint: 'Check that the Engine reaches the registry, then push again: layers that are there are not sent twice.',
      cause: error,
    });
  return new HoldpointError('denied', `${registry} refuses the push. It said: ${said}`, {
    hint: configured
      ? 'The operator checks the account of this registry under docker.registries in holdpoint.yaml: its password, and whether it may push here.'
      : `The operator names an account for it in holdpoint.yaml: docker: { registries: [{ host: '${registry}', username, password }] }.`,
    cause: error,
  });
}
