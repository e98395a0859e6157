/** One conversation with the server of the proof of cross-talk: a legacy session, a child, or all of a modern server. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface Asked {
  readonly id?: string | number
  readonly method?: string
  readonly params?: {
    readonly protocolVersion?: string
    readonly cursor?: string
    readonly name?: string
    readonly uri?: string
    readonly arguments?: { readonly text?: string }
    readonly _meta?: { readonly progressToken?: string | number }
    readonly requestState?: string
    readonly inputResponses?: Readonly<Record<string, { readonly content?: { readonly said?: string } }>>
  }
  readonly result?: { readonly content?: { readonly said?: string } }
}

export interface Said {
  readonly jsonrpc: '2.0'
  readonly id?: string | number | undefined
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: unknown
}

/** All that a server may say before its answer. */
type Say = (message: Said) => void

const longestStepMs = 6
const pages = 3
const text = { type: 'string' }
const tools = ['echo', 'steps', 'remember', 'recall', 'ask'].map((name) => ({
  name,
  description: `Does ${name}.`,
  inputSchema: { type: 'object', properties: { text } },
}))

const question = { type: 'object', properties: { said: text } }

function textOf(...values: readonly (string | undefined)[]) {
  return { content: [{ type: 'text', text: values.join('|') }] }
}

function pause(): Promise<void> {
  return sleep(Math.random() * longestStepMs)
}

export class Conversation {
  readonly isModern: boolean
  #remembered = ''
  #asked = 0
  readonly #waiting = new Map<string | number, (said: string | undefined) => void>()

  constructor(isModern: boolean) {
    this.isModern = isModern
  }

  /** Takes the answer of the client to a question. */
  hear({ id, result }: Asked): void {
    const wait = this.#waiting.get(id ?? '')
    this.#waiting.delete(id ?? '')
    wait?.(result?.content?.said)
  }

  async answer(asked: Asked, say: Say = () => undefined): Promise<Said> {
    const result = await this.#resultOf(asked, say)
    const { id } = asked
    if (result === undefined) return { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } }
    return { jsonrpc: '2.0', id, result: this.isModern ? { resultType: 'complete', ...result } : result }
  }

  async #resultOf({ method, params }: Asked, say: Say): Promise<object | undefined> {
    const capabilities = { tools: {}, resources: {} }
    const fresh = this.isModern ? { ttlMs: 0, cacheScope: 'private' } : {}
    switch (method) {
      case 'initialize':
        if (this.isModern) return undefined
        return {
          protocolVersion: params?.protocolVersion,
          capabilities,
          serverInfo: { name: 'cross-talk', version: '1' },
        }
      case 'server/discover':
        return this.isModern ? { supportedVersions: ['2026-07-28'], capabilities, ...fresh } : undefined
      case 'tools/list':
        return { tools, ...fresh }
      case 'resources/list':
        return { ...this.#page(params?.cursor), ...fresh }
      case 'resources/read':
        await pause()
        return { contents: [{ uri: params?.uri, text: params?.uri }], ...fresh }
      case 'tools/call':
        return this.#call(params, say)
      case undefined:
      default:
        return undefined
    }
  }

  /** Cursors are the same for everybody. */
  #page(cursor: string | undefined) {
    const page = Number(cursor ?? 0)
    const resources = [{ uri: `test://page/${page}`, name: `page ${page}` }]
    return page + 1 < pages ? { resources, nextCursor: String(page + 1) } : { resources }
  }

  async #call(params: Asked['params'], say: Say): Promise<object> {
    const told = params?.arguments?.text
    await pause()
    switch (params?.name) {
      case 'steps':
        for (const progress of [1, 2]) {
          const progressToken = params._meta?.progressToken
          const message = { progressToken, progress, message: told }
          say({ jsonrpc: '2.0', method: 'notifications/progress', params: message })
          await pause()
        }
        return textOf(told)
      case 'remember':
        this.#remembered = told ?? ''
        return textOf(told)
      case 'recall':
        return textOf(this.#remembered)
      case 'ask':
        return this.isModern ? this.#askLater(params) : this.#askNow(told, say)
      case undefined:
      default:
        return textOf(told)
    }
  }

  #askLater({ requestState, inputResponses, arguments: given }: NonNullable<Asked['params']>): object {
    if (requestState !== undefined) return textOf(requestState, inputResponses?.['k']?.content?.said)
    const params = { mode: 'form', message: given?.text, requestedSchema: question }
    const inputRequests = { k: { method: 'elicitation/create', params } }
    return { resultType: 'input_required', inputRequests, requestState: given?.text }
  }

  async #askNow(told: string | undefined, say: Say): Promise<object> {
    this.#asked += 1
    const id = this.#asked
    const heard = new Promise<string | undefined>((resolve) => this.#waiting.set(id, resolve))
    const params = { message: told, requestedSchema: question }
    say({ jsonrpc: '2.0', id, method: 'elicitation/create', params })
    return textOf(told, await heard)
  }
}
