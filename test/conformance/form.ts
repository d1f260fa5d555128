import { inputRequired, type ElicitRequestFormParams } from '@modelcontextprotocol/server';

type Properties = ElicitRequestFormParams['requestedSchema']['properties'];

/** A form for the client's user to fill in, every field of it required. */
export function form(message: string, properties: Properties) {
  return inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties, required: Object.keys(properties) },
  });
}
