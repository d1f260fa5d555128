import { randomBytes } from 'node:crypto';
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  inputRequired,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type ClientCapabilities,
  type ElicitRequestFormParams,
  type ServerContext,
} from '@modelcontextprotocol/server';

import { form } from './form.ts';
import { suiteTool, text, type SuiteTool } from './suite-tool.ts';

const codec = createRequestStateCodec<{ step: number; name?: unknown }>({ key: randomBytes(32) });

/** The state that the client sent back, or undefined where it sent none. @throws for one that is not ours. */
async function stateOf(context: ServerContext) {
  const state = context.mcpReq.requestState<string>();
  if (state === undefined) return undefined;
  return codec.verify(state, context).catch(() => {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'The state is not one that this server gave.');
  });
}

/** What the request says that its client can do; 2026-07-28 only. */
function capabilitiesOf({ mcpReq }: ServerContext): ClientCapabilities {
  const envelope = mcpReq.envelope as Readonly<Record<string, ClientCapabilities | undefined>> | undefined;
  return envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {};
}

const answerOf = ({ mcpReq }: ServerContext, key: string) => mcpReq.inputResponses?.[key];
const nameForm = () => form('What is your name?', { name: { type: 'string' } });
const question = (words: string, maxTokens: number) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: words } }], maxTokens });

/** Asks for a confirmation and gives a state along; complete only when both come back. */
async function confirmed(context: ServerContext) {
  const state = await stateOf(context);
  if (state && acceptedContent(context.mcpReq.inputResponses, 'confirm')) return text('state-ok');
  return inputRequired({
    inputRequests: { confirm: form('Please confirm', { ok: { type: 'boolean' } }) },
    requestState: await codec.mint({ step: 1 }),
  });
}

const asks = (name: string, handle: SuiteTool['handle']) => suiteTool(name, 'Asks the client for input.', handle);

/** Asks in the middle of a 2025-11-25 call, which needs a way back from client to server. */
function elicits(
  name: string,
  requestedSchema: ElicitRequestFormParams['requestedSchema'],
  message = 'Please fill this in',
): SuiteTool {
  return asks(name, async (args, { mcpReq }) => {
    const said = typeof args['message'] === 'string' ? args['message'] : message;
    const { action, content } = await mcpReq.elicitInput({ message: said, requestedSchema });
    return text(`Elicitation completed: action=${action}, content=${JSON.stringify(content)}`);
  });
}

const titled = (...pairs: [string, string][]) => pairs.map(([value, title]) => ({ const: value, title }));
const options = ['option1', 'option2', 'option3'];

export const INPUT_TOOLS: readonly SuiteTool[] = [
  asks('test_input_required_result_elicitation', (_args, { mcpReq }) => {
    const name = acceptedContent(mcpReq.inputResponses, 'user_name')?.['name'];
    if (typeof name === 'string') return text(`Hello, ${name}!`);
    return inputRequired({ inputRequests: { user_name: nameForm() } });
  }),
  asks('test_input_required_result_sampling', (_args, context) => {
    const answer = answerOf(context, 'capital_question');
    if (answer) return text(JSON.stringify(answer));
    return inputRequired({ inputRequests: { capital_question: question('What is the capital of France?', 100) } });
  }),
  asks('test_input_required_result_list_roots', (_args, context) => {
    const answer = answerOf(context, 'client_roots');
    if (answer) return text(JSON.stringify(answer));
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
  }),
  asks('test_input_required_result_request_state', (_args, context) => confirmed(context)),
  asks('test_input_required_result_tampered_state', (_args, context) => confirmed(context)),
  asks('test_input_required_result_multiple_inputs', async (_args, context) => {
    const keys = ['user_name', 'greeting', 'client_roots'];
    if ((await stateOf(context)) && keys.every((key) => answerOf(context, key))) return text('All inputs are here.');
    return inputRequired({
      inputRequests: {
        user_name: nameForm(),
        greeting: question('Generate a greeting', 50),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await codec.mint({ step: 1 }),
    });
  }),
  asks('test_input_required_result_multi_round', async (_args, context) => {
    const state = await stateOf(context);
    const { inputResponses } = context.mcpReq;
    const first = acceptedContent(inputResponses, 'step1');
    const second = acceptedContent(inputResponses, 'step2');
    if (state?.step === 2 && second) return text(`${String(state.name)} likes ${String(second['color'])}.`);
    if (state?.step === 1 && first)
      return inputRequired({
        inputRequests: { step2: form('Step 2: What is your favorite color?', { color: { type: 'string' } }) },
        requestState: await codec.mint({ step: 2, name: first['name'] }),
      });
    return inputRequired({
      inputRequests: { step1: form('Step 1: What is your name?', { name: { type: 'string' } }) },
      requestState: await codec.mint({ step: 1 }),
    });
  }),
  asks('test_input_required_result_capabilities', (_args, context) => {
    const can = capabilitiesOf(context);
    if (context.mcpReq.inputResponses) return text('Thank you.');
    return inputRequired({
      inputRequests: {
        ...(can.elicitation ? { user_name: nameForm() } : {}),
        ...(can.sampling ? { greeting: question('Generate a greeting', 50) } : {}),
      },
    });
  }),
  asks('test_missing_capability', (_args, context) => {
    if (capabilitiesOf(context).sampling) return text('The client can sample.');
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
  }),
  asks('test_streaming_elicitation', (_args, { mcpReq }) =>
    mcpReq.inputResponses ? text('Thank you.') : inputRequired({ inputRequests: { user_name: nameForm() } }),
  ),
  asks('test_sampling', async (args, { mcpReq }) => {
    const content = { type: 'text' as const, text: String(args['prompt']) };
    const request = { messages: [{ role: 'user' as const, content }], maxTokens: 100 };
    const answer = await mcpReq.requestSampling(request, { timeout: 2000 });
    return text(`LLM response: ${JSON.stringify(answer.content)}`);
  }),
  elicits('test_elicitation', {
    type: 'object',
    properties: {
      username: { type: 'string', description: "User's response" },
      email: { type: 'string', description: "User's email address" },
    },
    required: ['username', 'email'],
  }),
  elicits('test_elicitation_sep1034_defaults', {
    type: 'object',
    properties: {
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    },
  }),
  elicits('test_elicitation_sep1330_enums', {
    type: 'object',
    properties: {
      untitledSingle: { type: 'string', enum: options },
      titledSingle: { type: 'string', oneOf: titled(['value1', 'First'], ['value2', 'Second'], ['value3', 'Third']) },
      legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
      untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
      titledMulti: {
        type: 'array',
        items: { anyOf: titled(['value1', 'First'], ['value2', 'Second'], ['value3', 'Third']) },
      },
    },
  }),
];
