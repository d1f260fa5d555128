import type { JsonObject } from '../../core/json.ts';
import type { RunContext } from '../../core/tool.ts';
import type { UpstreamTool } from './definition.ts';

export type Call = Pick<RunContext, 'signal' | 'callId'> & Partial<Pick<RunContext, 'progress'>>;

/** One part of what a server answered, as data: what is no text is told by facts alone. */
export type ReplyPart =
  | { text: string }
  | { image: string; bytes: number }
  | { audio: string; bytes: number }
  | { resource: string; type?: string; text?: string; bytes?: number };

export interface UpstreamReply {
  content: ReplyPart[];
  structured?: JsonObject;
}

/** The other MCP servers that the persona may use. Nothing but accepted tools of them is ever called. */
export interface UpstreamPort {
  /**
   * Makes sure that the server runs and that the tool is still what was accepted.
   *
   * @throws HoldpointError `denied` where it was changed or is accepted no more, `unavailable` or `timeout` where the server
   * cannot be started or reached.
   */
  ready(tool: UpstreamTool, call: Call): Promise<void>;
  /**
   * Calls it, once.
   *
   * @throws HoldpointError `upstream` for what the server says is an error; `unavailable` and `timeout`, marked as `unknown` where
   * it may have done what it was asked.
   */
  call(tool: UpstreamTool, input: JsonObject, call: Call): Promise<UpstreamReply>;
  /** Stops every server that runs, with all it started. */
  close(): Promise<void>;
}

declare module '../../core/tool.ts' {
  interface Ports {
    upstream: UpstreamPort;
  }
}
