import type { RunContext } from '../../core/tool.ts';

export type Call = Pick<RunContext, 'callId' | 'signal' | 'redact' | 'traceparent'>;

export interface WebRequest {
  /** As `readUrl` gives it. */
  url: string;
  method: 'GET' | 'HEAD';
  /** Text that must occur in the body. */
  expect?: string | undefined;
}

/** How a service answered; what it said is data, masked and bounded. */
export interface WebReply {
  status: number;
  /** 2xx, and the expected text was there. */
  ok: boolean;
  /** From the start to the last answer's headers, DNS and followed redirects included. */
  ms: number;
  /** Redirects that were followed. */
  followed?: number;
  type?: string;
  /** Bytes of the body that were read; with `cut` there are more. */
  bytes?: number;
  cut?: true;
  server?: string;
  retryAfter?: string;
  /** A redirect that was not followed; `to` is an origin. */
  redirect?: { status: number; to: string };
  tls?: { daysLeft: number };
  body?: string;
  found?: boolean;
}

export interface WebPort {
  /**
   * Any status is an answer. The call's id goes along to every host; its trace only to services of one's own (`isOwn` in
   * address.ts), since a third party has no use for it and could tie together what one task of ours asks.
   *
   * @throws HoldpointError `denied` for addresses that are not fetched, `unavailable` and `timeout` for a service that cannot be
   * reached, with what it means for the service.
   */
  fetch(request: WebRequest, call: Call): Promise<WebReply>;
}

export { hostOf, readUrl } from './url.ts';

declare module '../../core/tool.ts' {
  interface Ports {
    web: WebPort;
  }
}
