import { type Content, png, text } from './reference-tool.ts'

export interface ReferenceResource {
  readonly name: string
  readonly uri: string
  readonly description: string
  readonly mimeType: string
  readonly content: { readonly text: string } | { readonly blob: string }
}

export const resources: readonly ReferenceResource[] = [
  {
    name: 'static-text',
    uri: 'test://static-text',
    description: 'A text.',
    mimeType: 'text/plain',
    content: { text: 'This is the content of the static text resource.' },
  },
  {
    name: 'static-binary',
    uri: 'test://static-binary',
    description: 'An image.',
    mimeType: 'image/png',
    content: { blob: png },
  },
  {
    name: 'watched-resource',
    uri: 'test://watched-resource',
    description: 'A text to be told about.',
    mimeType: 'text/plain',
    content: { text: 'Watched resource content' },
  },
]

export const template = {
  name: 'template',
  uriTemplate: 'test://template/{id}/data',
  description: 'A text for each id.',
  mimeType: 'application/json',
  contentOf: (id: string) => ({ text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }),
}

export interface ReferencePrompt {
  readonly name: string
  readonly description: string
  /** All of them are required. */
  readonly parameters: readonly string[]
  say(given: Readonly<Record<string, string>>): Content[]
}

export const prompts: readonly ReferencePrompt[] = [
  {
    name: 'test_simple_prompt',
    description: 'A text.',
    parameters: [],
    say: () => [text('This is a simple prompt for testing.')],
  },
  {
    name: 'test_prompt_with_arguments',
    description: 'A text with two arguments in it.',
    parameters: ['arg1', 'arg2'],
    say: ({ arg1, arg2 }) => [text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)],
  },
  {
    name: 'test_prompt_with_embedded_resource',
    description: 'A resource, and what to do with it.',
    parameters: ['resourceUri'],
    say: ({ resourceUri = '' }) => [
      {
        type: 'resource',
        resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
      },
      text('Please process the embedded resource above.'),
    ],
  },
  {
    name: 'test_prompt_with_image',
    description: 'An image, and what to do with it.',
    parameters: [],
    say: () => [{ type: 'image', data: png, mimeType: 'image/png' }, text('Please analyze the image above.')],
  },
]

/** What completes an argument that begins like this. */
export function completionsOf(begun: string): string[] {
  return ['paris', 'park', 'party', 'test', 'testing'].filter((value) => value.startsWith(begun))
}
