import { setTimeout as sleep } from 'node:timers/promises'
import { type Desk, type Json, type ReferenceTool, text } from './reference-tool.ts'

const object = (properties: Json, required: readonly string[] = []): Json => ({
  type: 'object',
  properties,
  ...(required.length === 0 ? {} : { required }),
})

const choices = (...values: readonly [string, string][]) => values.map(([value, title]) => ({ const: value, title }))

const options = ['option1', 'option2', 'option3']

/** All five ways to offer a choice. */
const enums = object({
  untitledSingle: { type: 'string', enum: options },
  titledSingle: {
    type: 'string',
    oneOf: choices(['value1', 'First Option'], ['value2', 'Second Option'], ['value3', 'Third Option']),
  },
  legacyEnum: {
    type: 'string',
    enum: ['opt1', 'opt2', 'opt3'],
    enumNames: ['Option One', 'Option Two', 'Option Three'],
  },
  untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
  titledMulti: {
    type: 'array',
    items: { anyOf: choices(['value1', 'First Choice'], ['value2', 'Second Choice'], ['value3', 'Third Choice']) },
  },
})

/** A default for each type that a form has. */
const defaults = object({
  name: { type: 'string', description: 'Your name', default: 'John Doe' },
  age: { type: 'integer', description: 'Your age', default: 30 },
  score: { type: 'number', description: 'Your score', default: 95.5 },
  status: { type: 'string', description: 'Your status', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', description: 'Whether you are verified', default: true },
})

const person = object(
  {
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" },
  },
  ['username', 'email'],
)

async function elicit(desk: Desk, message: string, requestedSchema: Json) {
  const { action, content } = await desk.ask('form', 'elicitation/create', { message, requestedSchema })
  return [text(`Elicitation completed: action=${String(action)}, content=${JSON.stringify(content ?? {})}`)]
}

/** Tools that tell, or ask the client, before they answer. */
export const talkingTools: readonly ReferenceTool[] = [
  {
    name: 'test_tool_with_logging',
    description: 'Logs three times while it runs.',
    async call(desk) {
      await desk.log('Tool execution started')
      await sleep(50)
      await desk.log('Tool processing data')
      await sleep(50)
      await desk.log('Tool execution completed')
      return [text('logged three times')]
    },
  },
  {
    name: 'test_tool_with_progress',
    description: 'Tells three times how far it is.',
    async call(desk) {
      for (const done of [0, 50, 100]) {
        await desk.progress(done, 100)
        await sleep(50)
      }
      return [text('progressed three times')]
    },
  },
  {
    name: 'test_sampling',
    description: "Asks the client's model.",
    inputSchema: object({ prompt: { type: 'string', description: 'What to ask' } }, ['prompt']),
    async call(desk, { prompt }) {
      const messages = [{ role: 'user', content: { type: 'text', text: String(prompt) } }]
      const { content } = await desk.ask('answer', 'sampling/createMessage', { messages, maxTokens: 100 })
      return [text(`LLM response: ${JSON.stringify(content)}`)]
    },
  },
  {
    name: 'test_elicitation',
    description: 'Asks the person.',
    inputSchema: object({ message: { type: 'string', description: 'What to ask' } }, ['message']),
    call: (desk, { message }) => elicit(desk, String(message), person),
  },
  {
    name: 'test_elicitation_sep1034_defaults',
    description: 'Asks the person with a form that is filled in.',
    call: (desk) => elicit(desk, 'Please review the form', defaults),
  },
  {
    name: 'test_elicitation_sep1330_enums',
    description: 'Asks the person to choose.',
    call: (desk) => elicit(desk, 'Please choose', enums),
  },
  {
    name: 'test_reconnection',
    description: 'Closes the stream of its call and answers on the one that is resumed.',
    async call(desk) {
      desk.hangUp()
      await sleep(100)
      return [text('answered on the resumed stream')]
    },
  },
]
