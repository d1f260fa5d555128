/**
 * Why a `tools/call` cannot reach dispatch: the SDK answers such a message by itself with an error, so the transports note
 * it for the audit log. Undefined for every other message.
 */
export function complaintOf(message: unknown): string | undefined {
  if (typeof message !== 'object' || message === null || (message as { method?: unknown }).method !== 'tools/call')
    return undefined;
  const { params } = message as { params?: unknown };
  if (typeof params !== 'object' || params === null) return 'tools/call without params';
  const { name, arguments: given } = params as { name?: unknown; arguments?: unknown };
  if (typeof name !== 'string') return 'tools/call without a tool name';
  if (given !== undefined && (typeof given !== 'object' || given === null || Array.isArray(given)))
    return `tools/call of ${name.slice(0, 100)} with arguments that are no object`;
  return undefined;
}
