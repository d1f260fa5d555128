import {
  acceptedContent,
  inputRequired,
  ProtocolError,
  ProtocolErrorCode,
  type GetPromptResult,
  type InputRequiredResult,
  type Prompt,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server';

import { form } from './form.ts';
import { PIXEL } from './media.ts';

interface SuitePrompt {
  definition: Prompt;
  get: (args: Record<string, string>, context: ServerContext) => GetPromptResult | InputRequiredResult;
}

type Content = GetPromptResult['messages'][number]['content'];

function said(...contents: Content[]): GetPromptResult {
  return { messages: contents.map((content) => ({ role: 'user' as const, content })) };
}

const text = (value: string): Content => ({ type: 'text', text: value });
const required = (name: string) => ({ name, description: `The ${name}.`, required: true });

const PROMPTS: readonly SuitePrompt[] = [
  {
    definition: { name: 'test_simple_prompt', description: 'A prompt without arguments.' },
    get: () => said(text('This is a simple prompt for testing.')),
  },
  {
    definition: {
      name: 'test_prompt_with_arguments',
      description: 'A prompt with arguments.',
      arguments: [required('arg1'), required('arg2')],
    },
    get: ({ arg1, arg2 }) => said(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  },
  {
    definition: {
      name: 'test_prompt_with_embedded_resource',
      description: 'A prompt with a resource.',
      arguments: [required('resourceUri')],
    },
    get: ({ resourceUri = '' }) =>
      said(
        {
          type: 'resource',
          resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
        },
        text('Please process the embedded resource above.'),
      ),
  },
  {
    definition: { name: 'test_prompt_with_image', description: 'A prompt with an image.' },
    get: () => said({ type: 'image', data: PIXEL, mimeType: 'image/png' }, text('Please analyze the image above.')),
  },
  {
    definition: { name: 'test_input_required_result_prompt', description: 'A prompt that asks first.' },
    get(_args, { mcpReq }) {
      const context = acceptedContent(mcpReq.inputResponses, 'user_context')?.['context'];
      if (typeof context === 'string') return said(text(`Use this context: ${context}`));
      return inputRequired({
        inputRequests: { user_context: form('What context should the prompt use?', { context: { type: 'string' } }) },
      });
    },
  },
];

/** Replaces the server's prompts by the suite's, with completions for their arguments. */
export function addPrompts(server: Server): void {
  server.setRequestHandler('prompts/list', () => ({ prompts: PROMPTS.map(({ definition }) => definition) }));
  server.setRequestHandler('prompts/get', ({ params }, context) => {
    const prompt = PROMPTS.find(({ definition }) => definition.name === params.name);
    if (!prompt) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'no such prompt');
    return prompt.get(params.arguments ?? {}, context);
  });
  server.setRequestHandler('completion/complete', ({ params }) => {
    const values = ['test-one', 'test-two'].filter((value) => value.startsWith(params.argument.value));
    return { completion: { values, total: values.length, hasMore: false } };
  });
}
