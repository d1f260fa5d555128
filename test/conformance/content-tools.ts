import type { Tool } from '@modelcontextprotocol/server';

import { PIXEL, SILENCE } from './media.ts';
import { suiteTool, text, type SuiteTool } from './suite-tool.ts';

const image = { type: 'image' as const, data: PIXEL, mimeType: 'image/png' };

/** What the scenario json-schema-2020-12 wants to see unchanged in the list. */
const SCHEMA_2020_12: Tool['inputSchema'] = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

/** Tools whose results hold more than text, which Holdpoint's never do. */
export const CONTENT_TOOLS: readonly SuiteTool[] = [
  suiteTool('test_image_content', 'Gives an image.', () => ({ content: [image] })),
  suiteTool('test_audio_content', 'Gives a sound.', () => ({
    content: [{ type: 'audio', data: SILENCE, mimeType: 'audio/wav' }],
  })),
  suiteTool('test_embedded_resource', 'Gives a resource.', () => ({
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  })),
  suiteTool('test_multiple_content_types', 'Gives text, an image and a resource.', () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: '{"test":"data","value":123}',
        },
      },
    ],
  })),
  suiteTool('json_schema_2020_12_tool', 'Has a rich schema.', () => text('ok'), SCHEMA_2020_12),
];
