import type { Json, JsonObject } from '../../core/json.ts';
import type { PlanContext } from '../../core/tool.ts';

/** Whose call a request belongs to, and when to give up. */
export type Call = Pick<PlanContext, 'callId' | 'signal' | 'traceparent'>;

export type PatchType = 'application/strategic-merge-patch+json' | 'application/json-patch+json';

/** One request to an API server, as it goes out. */
export interface ApiRequest {
  /** The kubeconfig's context. */
  context: string;
  method: 'GET' | 'PATCH';
  path: string;
  query?: Record<string, string>;
  /** GET: what to accept, when not plain JSON. */
  accept?: string;
  contentType?: PatchType;
  body?: Json;
  /** Time limit in milliseconds; default 10 s. */
  timeout?: number;
}

/** The API servers of a kubeconfig, by context. Throws HoldpointError for every answer that is no success. */
export interface KubernetesApi {
  json(request: ApiRequest, call: Call): Promise<JsonObject>;
  /** A plain-text answer (container logs), at most `maxBytes` of it. */
  text(request: ApiRequest & { maxBytes: number }, call: Call): Promise<{ text: string; cut: boolean }>;
  /** Whether the server's certificate is checked. */
  verifiesTls(context: string): Promise<boolean>;
}

/** A list's path in one namespace, in all of them (`*`), or outside namespaces (undefined). */
export function listPath(groupVersion: string, plural: string, namespace: string | undefined): string {
  const root = groupVersion.includes('/') ? `/apis/${groupVersion}` : `/api/${groupVersion}`;
  if (namespace === undefined || namespace === '*') return `${root}/${plural}`;
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}

export function objectPath(groupVersion: string, plural: string, namespace: string | undefined, name: string): string {
  return `${listPath(groupVersion, plural, namespace)}/${encodeURIComponent(name)}`;
}
