import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  createRequestStateCodec,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'

/** What the rounds of one call have learned. It travels through the client, signed. */
interface Learned {
  readonly round: number
  readonly name?: string
}

export const codec = createRequestStateCodec<Learned>({
  key: crypto.getRandomValues(new Uint8Array(32)),
  bind: (context) => context.mcpReq.method,
})

/** What the client can do: as this request says, or, where requests do not say it, the session's first one. */
function declaredTo(server: McpServer, { mcpReq }: ServerContext): ClientCapabilities {
  const envelope: Readonly<Record<string, ClientCapabilities | undefined>> = mcpReq.envelope ?? {}
  return envelope[CLIENT_CAPABILITIES_META_KEY] ?? server.server.getClientCapabilities() ?? {}
}

function ask(message: string, property: string, type: 'string' | 'boolean' = 'string') {
  const properties = { [property]: type === 'string' ? { type: 'string' as const } : { type: 'boolean' as const } }
  return inputRequired.elicit({ message, requestedSchema: { type: 'object', properties, required: [property] } })
}

const sample = (text: string, maxTokens: number) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens })

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] })

const accepted = ({ mcpReq }: ServerContext, key: string) => acceptedContent(mcpReq.inputResponses, key)

type Round = (
  context: ServerContext,
  server: McpServer,
) => Promise<ReturnType<typeof text> | ReturnType<typeof inputRequired>>

/** One round each: what is missing is asked for, again when it does not come. */
const oneRound: Readonly<Record<string, Round>> = {
  async elicitation(context) {
    const name = accepted(context, 'user_name')?.['name']
    if (typeof name === 'string') return text(`Hello, ${name}!`)
    return inputRequired({ inputRequests: { user_name: ask('What is your name?', 'name') } })
  },
  async sampling(context) {
    const answer = inputResponse(context.mcpReq.inputResponses, 'capital_question')
    if (answer.kind === 'sampling') return text(JSON.stringify(answer.result.content))
    return inputRequired({ inputRequests: { capital_question: sample('What is the capital of France?', 100) } })
  },
  async list_roots(context) {
    const answer = inputResponse(context.mcpReq.inputResponses, 'client_roots')
    if (answer.kind === 'roots') return text(answer.roots.map(({ uri }) => uri).join(', '))
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
  },
  async capabilities(context, server) {
    const declared = declaredTo(server, context)
    const inputRequests = {
      ...(declared.sampling === undefined ? {} : { answer: sample('What is your name?', 10) }),
      ...(declared.elicitation === undefined ? {} : { form: ask('What is your name?', 'name') }),
    }
    const isOver = Object.keys(inputRequests).length === 0 || context.mcpReq.inputResponses !== undefined
    return isOver ? text('nothing to ask') : inputRequired({ inputRequests })
  },
  async missing_capability(context) {
    // WHY: not looked up first: the library refuses for the server what the client did not declare.
    const answer = inputResponse(context.mcpReq.inputResponses, 'answer')
    if (answer.kind === 'sampling') return text(JSON.stringify(answer.result.content))
    return inputRequired({ inputRequests: { answer: sample('What is your name?', 10) } })
  },
  async streaming(context) {
    const { _meta: meta, notify } = context.mcpReq
    const progressToken = meta?.progressToken
    if (progressToken !== undefined) {
      await notify({ method: 'notifications/progress', params: { progressToken, progress: 1, total: 2 } })
    }
    if (accepted(context, 'sure') !== undefined) return text('you were sure')
    return inputRequired({ inputRequests: { sure: ask('Are you sure?', 'sure', 'boolean') } })
  },
}

async function confirm(context: ServerContext): ReturnType<Round> {
  const learned = context.mcpReq.requestState<Learned>()
  if (learned !== undefined && accepted(context, 'confirm') !== undefined) return text('state-ok')
  const requestState = await codec.mint({ round: 1 }, context)
  return inputRequired({ inputRequests: { confirm: ask('Please confirm', 'ok', 'boolean') }, requestState })
}

async function askThree(context: ServerContext): ReturnType<Round> {
  const responses = context.mcpReq.inputResponses
  const name = accepted(context, 'user_name')?.['name']
  const greeting = inputResponse(responses, 'greeting')
  const roots = inputResponse(responses, 'client_roots')
  if (typeof name === 'string' && greeting.kind === 'sampling' && roots.kind === 'roots') {
    return text(`${JSON.stringify(greeting.result.content)} ${name}, ${roots.roots.length} roots`)
  }
  const inputRequests = {
    user_name: ask('What is your name?', 'name'),
    greeting: sample('Generate a greeting', 50),
    client_roots: inputRequired.listRoots(),
  }
  return inputRequired({ inputRequests, requestState: await codec.mint({ round: 1 }, context) })
}

async function askTwice(context: ServerContext): ReturnType<Round> {
  const learned = context.mcpReq.requestState<Learned>()
  const name = accepted(context, 'step1')?.['name']
  if (learned?.round === 2) {
    const color = accepted(context, 'step2')?.['color']
    if (typeof color === 'string') return text(`${learned.name} likes ${color}`)
  }
  if (learned?.round === 1 && typeof name === 'string') {
    const step2 = ask('Step 2: What is your favorite color?', 'color')
    return inputRequired({ inputRequests: { step2 }, requestState: await codec.mint({ round: 2, name }, context) })
  }
  const step1 = ask('Step 1: What is your name?', 'name')
  return inputRequired({ inputRequests: { step1 }, requestState: await codec.mint({ round: 1 }, context) })
}

/** Tools and a prompt that need more than one round. */
export function registerRounds(server: McpServer): void {
  const { streaming, missing_capability: unchecked, ...others } = oneRound
  const named: Record<string, Round | undefined> = {
    test_streaming_elicitation: streaming,
    test_missing_capability: unchecked,
    ...Object.fromEntries(Object.entries(others).map(([name, round]) => [`test_input_required_result_${name}`, round])),
    test_input_required_result_request_state: confirm,
    test_input_required_result_tampered_state: confirm,
    test_input_required_result_multiple_inputs: askThree,
    test_input_required_result_multi_round: askTwice,
  }
  for (const [name, round] of Object.entries(named)) {
    const description = 'Needs more than one round.'
    if (round !== undefined) server.registerTool(name, { description }, (context) => round(context, server))
  }
  server.registerPrompt('test_input_required_result_prompt', { description: 'Asks before it answers.' }, (context) => {
    const given = accepted(context, 'user_context')?.['context']
    if (typeof given === 'string') {
      return { messages: [{ role: 'user' as const, content: { type: 'text' as const, text: given } }] }
    }
    return inputRequired({ inputRequests: { user_context: ask('What context should the prompt use?', 'context') } })
  })
}
