import type { KubeConfig } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';

import { HoldpointError } from '../../core/errors.ts';
import { parseObject } from '../../core/json.ts';
import type { ApiRequest, Call, KubernetesApi } from './api.ts';
import { refusal, unanswered } from './errors.ts';
import { loadKubeconfig, singleContext } from './kubeconfig.ts';

const TIMEOUT = 10_000;
const MAX_JSON = 32 * 1024 * 1024;

export interface KubernetesSettings {
  /** One path, or several joined as in KUBECONFIG. */
  kubeconfig?: string;
  /** The workspace's path; a kubeconfig inside it is refused. */
  workspace: string;
}

interface Connection {
  config: KubeConfig;
  server: string;
  verifiesTls: boolean;
  /** The vendor makes a new connection pool for every request; the first is kept instead. */
  dispatcher?: unknown;
}

/** API servers through the vendor's client, which is loaded with the first request, as is the kubeconfig. */
export function createHttpApi(settings: KubernetesSettings): KubernetesApi {
  const vendor = lazily(() => import('@kubernetes/client-node'));
  const parts = lazily(() => loadKubeconfig(settings.kubeconfig, settings.workspace));
  const connections = new Map<string, Connection>();

  async function connect(context: string): Promise<Connection> {
    const known = connections.get(context);
    if (known !== undefined) return known;
    const document = singleContext(await parts(), context);
    const { KubeConfig } = await vendor();
    const config = new KubeConfig();
    // As JSON, so that the vendor's YAML parser sees exactly what was checked.
    config.loadFromString(JSON.stringify(document));
    const cluster = config.getCurrentCluster();
    const made = { config, server: cluster?.server ?? '', verifiesTls: cluster?.skipTLSVerify !== true };
    connections.set(context, made);
    return made;
  }

  async function send(request: ApiRequest, call: Call, maxBytes: number): Promise<{ text: string; cut: boolean }> {
    const connection = await connect(request.context);
    const { RequestContext, HttpMethod, IsomorphicFetchHttpLibrary } = await vendor();
    const limit = request.timeout ?? TIMEOUT;
    const timer = AbortSignal.timeout(limit);
    const signal = AbortSignal.any([call.signal, timer]);
    const context = new RequestContext(connection.server + request.path, HttpMethod[request.method]);
    for (const [name, value] of Object.entries(request.query ?? {})) context.setQueryParam(name, value);
    context.setHeaderParam('Accept', request.accept ?? 'application/json');
    context.setHeaderParam('User-Agent', `holdpoint (call ${call.callId})`);
    if (call.traceparent !== undefined) context.setHeaderParam('traceparent', call.traceparent);
    if (request.contentType !== undefined) context.setHeaderParam('Content-Type', request.contentType);
    if (request.body !== undefined) context.setBody(JSON.stringify(request.body));
    context.setSignal(signal);
    try {
      // A plugin of the kubeconfig may run here; it gets the same time limit.
      await raced(connection.config.applySecurityAuthentication(context), signal);
      connection.dispatcher ??= context.getDispatcher();
      const dispatcher = connection.dispatcher as NonNullable<ReturnType<typeof context.getDispatcher>>;
      context.setDispatcher(dispatcher.compose(once(request.context)));
      const answer = await new IsomorphicFetchHttpLibrary().send(context).toPromise();
      const { text, cut } = await bounded(answer.body.stream?.(), maxBytes);
      if (answer.httpStatusCode >= 200 && answer.httpStatusCode < 300) return { text, cut };
      throw refusal(request, answer.httpStatusCode, parseObject(text) ?? text);
    } catch (cause) {
      if (cause instanceof HoldpointError) throw cause;
      if (cause instanceof Error && cause.cause instanceof HoldpointError) throw cause.cause;
      if (call.signal.aborted) throw new HoldpointError('timeout', 'The call was cancelled.', { cause });
      throw unanswered(request, cause, timer.aborted ? limit : undefined);
    }
  }

  return {
    async json(request, call) {
      const { text, cut } = await send(request, call, MAX_JSON);
      const value = cut ? undefined : parseObject(text);
      if (value === undefined) {
        throw new HoldpointError(
          'upstream',
          `The cluster in context ${request.context} gave no usable answer to ${request.path}.`,
          {
            hint: cut
              ? 'The answer is too large: ask for less (namespace, selector, limit).'
              : 'Check the server address in the kubeconfig.',
          },
        );
      }
      return value;
    },
    text: (request, call) => send(request, call, request.maxBytes),
    async verifiesTls(context) {
      return (await connect(context)).verifiesTls;
    },
  };
}

/**
 * Lets one request through and no other: the vendor's client would follow a redirect, with a change's body and this cluster's
 * certificate, to wherever the answer says.
 */
function once(context: string): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => {
    let sent = false;
    return (options, handler) => {
      if (sent)
        throw new HoldpointError('upstream', `The cluster in context ${context} answered with a redirect.`, {
          hint: 'It is not followed. The operator writes the API server’s own address into the kubeconfig.',
        });
      sent = true;
      return dispatch(options, handler);
    };
  };
}

/** Runs once, at first use; a failure is not kept, so that a repaired cause works without a restart. */
function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

async function raced<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const give = () => reject(signal.reason as Error);
  signal.addEventListener('abort', give, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', give);
  }
}

async function bounded(
  stream: ReadableStream<Uint8Array> | null | undefined,
  max: number,
): Promise<{ text: string; cut: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (stream !== null && stream !== undefined) {
    for await (const chunk of stream) {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size > max) break;
    }
  }
  return { text: Buffer.concat(chunks).subarray(0, max).toString('utf8'), cut: size > max };
}
