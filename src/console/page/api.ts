/** Half of a session; the other half is the cookie. Of this origin alone, its port included, and the same in all tabs. */
const STORED = 'holdpoint-console';

/** What the server refused, in its words. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string;

  constructor(
    status: number,
    { code = '', message = '', hint = '' }: { code?: string; message?: string; hint?: string },
  ) {
    super(message || `The server answered ${status}.`);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

export function keepPageKey(key: string | undefined): void {
  if (key === undefined) localStorage.removeItem(STORED);
  else localStorage.setItem(STORED, key);
}

/** @throws Refusal; TypeError where the server cannot be reached. */
export async function open(path: string, body?: object, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(`/console/api/${path}`, {
    method: body ? 'POST' : 'GET',
    headers: {
      'X-Holdpoint-Console': localStorage.getItem(STORED) ?? 'none',
      ...(body ? { 'Content-Type': 'application/json' } : {}),
    },
    body: body ? JSON.stringify(body) : null,
    credentials: 'same-origin',
    cache: 'no-store',
    redirect: 'error',
    ...(signal ? { signal } : {}),
  });
  if (response.ok) return response;
  throw new Refusal(response.status, (await response.json().catch(() => ({}))) as { message?: string });
}

export async function get<T>(path: string): Promise<T> {
  return (await (await open(path)).json()) as T;
}

export async function post<T>(path: string, body: object = {}): Promise<T> {
  return (await (await open(path, body)).json()) as T;
}
