import { type Json, png, type ReferenceTool, text, wav } from './reference-tool.ts'

/** As a text, because an object with a member `then` could be taken for a promise. */
const schemaOf2020 = JSON.parse(`{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "$defs": {
    "address": {
      "$anchor": "addressDef",
      "type": "object",
      "properties": { "street": { "type": "string" }, "city": { "type": "string" } }
    }
  },
  "properties": {
    "name": { "type": "string" },
    "address": { "$ref": "#/$defs/address" },
    "contactMethod": { "type": "string", "enum": ["phone", "email"] },
    "phone": { "type": "string" },
    "email": { "type": "string" }
  },
  "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
  "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
  "then": { "required": ["phone"] },
  "else": { "required": ["email"] },
  "additionalProperties": false
}`) as Json

const embedded = {
  uri: 'test://embedded-resource',
  mimeType: 'text/plain',
  text: 'This is an embedded resource content.',
}

const mixed = {
  uri: 'test://mixed-content-resource',
  mimeType: 'application/json',
  text: '{"test":"data","value":123}',
}

/** Tools that answer and do nothing else. */
export const plainTools: readonly ReferenceTool[] = [
  {
    name: 'test_simple_text',
    description: 'Answers with a text.',
    call: async () => [text('This is a simple text response for testing.')],
  },
  {
    name: 'test_image_content',
    description: 'Answers with an image.',
    call: async () => [{ type: 'image', data: png, mimeType: 'image/png' }],
  },
  {
    name: 'test_audio_content',
    description: 'Answers with a sound.',
    call: async () => [{ type: 'audio', data: wav, mimeType: 'audio/wav' }],
  },
  {
    name: 'test_embedded_resource',
    description: 'Answers with a resource.',
    call: async () => [{ type: 'resource', resource: embedded }],
  },
  {
    name: 'test_multiple_content_types',
    description: 'Answers with a text, an image and a resource.',
    call: async () => [
      text('Multiple content types test:'),
      { type: 'image', data: png, mimeType: 'image/png' },
      { type: 'resource', resource: mixed },
    ],
  },
  {
    name: 'test_error_handling',
    description: 'Always fails.',
    call: () => Promise.reject(new Error('This tool intentionally returns an error for testing')),
  },
  {
    name: 'json_schema_2020_12_tool',
    description: 'Takes arguments that only a reader of JSON Schema 2020-12 understands.',
    inputSchema: schemaOf2020,
    call: async (_desk, given) => [text(JSON.stringify(given))],
  },
]
