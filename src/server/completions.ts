import {
  ProtocolError,
  ProtocolErrorCode,
  type CompleteRequest,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server';

import { hiddenCharacters } from '../core/foreign.ts';
import type { Principal } from '../core/principal.ts';
import type { ResourceSource } from './resources.ts';
import type { Safely } from './safely.ts';
import type { Services } from './services.ts';
import type { Shelf } from './skills.ts';

/** What a client shows at once; the protocol allows no more. */
const SHOWN = 100;

interface Completing {
  shelf: Shelf;
  sources: readonly ResourceSource[];
  services: Services;
  /** Undefined for a token that may not read. */
  who: (request: ServerContext) => Principal | undefined;
  safely: Safely;
}

/**
 * Values for prompts' arguments and for the variables of resource addresses that begin as typed. They come from what this
 * machine knows already, without the network, and what the policy denies to this caller is not among them.
 */
export function serveCompletions(server: Server, { shelf, sources, services, who, safely }: Completing): void {
  const complete = async ({ params: { ref, argument } }: CompleteRequest, request: ServerContext) => {
    const begun = argument.value.slice(0, 200);
    const principal = who(request);
    if (!principal) return { completion: { values: [] } };
    const { fits, candidates } =
      ref.type === 'ref/prompt'
        ? await ofPrompt(ref.name, argument.name, begun, principal)
        : await ofAddress(ref.uri, argument.name, begun, principal);
    const found = [...new Set(candidates)]
      .filter((value) => fits(value) && hiddenCharacters(value).length === 0 && services.redactor.text(value) === value)
      .sort();
    const values = found.slice(0, SHOWN);
    return { completion: { values, total: found.length, hasMore: found.length > values.length } };
  };
  server.setRequestHandler('completion/complete', safely(complete));

  const ofPrompt = async (name: string, argument: string, begun: string, principal: Principal) => {
    const skill = (await shelf()).find((each) => each.name === name);
    if (!skill?.arguments.some((each) => each.name === argument))
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'There is no such prompt, or it has no such argument.');
    const { valuesOf } = await import('./known-values.ts');
    return {
      candidates: await valuesOf(argument, principal, services),
      fits: (value: string) => value.toLowerCase().startsWith(begun.toLowerCase()),
    };
  };

  const ofAddress = async (uri: string, variable: string, begun: string, principal: Principal) => {
    const source = sources.find(({ templates }) => templates.some(({ uriTemplate }) => uriTemplate === uri));
    if (!source) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'There is no such resource template.');
    const candidates = (await source.complete?.(variable, begun, principal)) ?? [];
    return { candidates, fits: () => true };
  };
}
