/** One conversation with the server of the proof of cross-talk: a legacy session, a child, or all of a modern server. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Tasks, type Tell } from './upstream-tasks.ts'

export interface Asked {
  readonly id?: string | number
  readonly method?: string
  readonly params?: {
    readonly protocolVersion?: string
    readonly cursor?: string
    readonly name?: string
    readonly uri?: string
    readonly arguments?: { readonly text?: string }
    readonly _meta?: {
      readonly progressToken?: string | number
      readonly 'io.modelcontextprotocol/clientInfo'?: { readonly name?: string }
    }
    readonly taskId?: string
    readonly task?: object
    readonly notifications?: { readonly taskIds?: readonly string[] }
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

/** All that a server may say before its answer, and when nobody hears it any more. */
interface Ear {
  readonly say: (message: Said) => void
  readonly left?: Promise<void>
}

const longestStepMs = 6
const pages = 3
const text = { type: 'string' }
const tools = ['echo', 'steps', 'remember', 'recall', 'ask', 'later'].map((name) => ({
  name,
  description: `Does ${name}.`,
  inputSchema: { type: 'object', properties: { text } },
  ...(name === 'later' ? { execution: { taskSupport: 'optional' } } : {}),
}))
const tasksOf2025 = { list: {}, cancel: {}, requests: { tools: { call: {} } } }
const tasksExtension = 'io.modelcontextprotocol/tasks'

const question = { type: 'object', properties: { said: text } }

/** WHY: a server without sessions tells people apart by what their clients are called, as far as it can. */
function holderOf({ _meta }: NonNullable<Asked['params']>): string {
  return _meta?.['io.modelcontextprotocol/clientInfo']?.name ?? ''
}

function textOf(...values: readonly (string | undefined)[]) {
  return { content: [{ type: 'text', text: values.join('|') }] }
}

function pause(): Promise<void> {
  return sleep(Math.random() * longestStepMs)
}

export class Conversation {
  readonly isModern: boolean
  readonly #tasks: Tasks
  #remembered = ''
  #asked = 0
  readonly #waiting = new Map<string | number, (said: string | undefined) => void>()

  constructor(isModern: boolean) {
    this.isModern = isModern
    this.#tasks = new Tasks(isModern)
  }

  /** Tells what belongs to no request, until the returned function is called. */
  tellNews(tell: Tell): () => void {
    return this.#tasks.follow({ holder: '', ids: new Set(), tell })
  }

  /** Takes the answer of the client to a question. */
  hear({ id, result }: Asked): void {
    const wait = this.#waiting.get(id ?? '')
    this.#waiting.delete(id ?? '')
    wait?.(result?.content?.said)
  }

  async answer(asked: Asked, ear: Ear = { say: () => undefined }): Promise<Said> {
    const result = await this.#resultOf(asked, ear)
    const { id, method } = asked
    if (result === undefined && method?.startsWith('tasks/') === true)
      return { jsonrpc: '2.0', id, error: { code: -32602, message: 'no such task' } }
    if (result === undefined) return { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } }
    return { jsonrpc: '2.0', id, result: this.isModern ? { resultType: 'complete', ...result } : result }
  }

  async #resultOf({ id, method, params = {} }: Asked, ear: Ear): Promise<object | undefined> {
    const tasks = this.isModern ? { extensions: { [tasksExtension]: {} } } : { tasks: tasksOf2025 }
    const capabilities = { tools: {}, resources: {}, ...tasks }
    const fresh = this.isModern ? { ttlMs: 0, cacheScope: 'private' } : {}
    switch (method) {
      case 'initialize':
        if (this.isModern) return undefined
        return {
          protocolVersion: params.protocolVersion,
          capabilities,
          serverInfo: { name: 'cross-talk', version: '1' },
        }
      case 'server/discover':
        return this.isModern ? { supportedVersions: ['2026-07-28'], capabilities, ...fresh } : undefined
      case 'tools/list':
        return { tools, ...fresh }
      case 'resources/list':
        return { ...this.#page(params.cursor), ...fresh }
      case 'resources/read':
        await pause()
        return { contents: [{ uri: params.uri, text: params.uri }], ...fresh }
      case 'tools/call':
        return this.#call(params, ear)
      case 'subscriptions/listen':
        return this.isModern ? this.#listen(id, params, ear) : undefined
      case 'tasks/get':
      case 'tasks/result':
      case 'tasks/list':
      case 'tasks/cancel':
        await pause()
        return this.#tasks.answer(method, holderOf(params), params.taskId)
      case undefined:
      default:
        return undefined
    }
  }

  /** Tells of the tasks that were asked for until nobody listens. */
  async #listen(subscriptionId: Asked['id'], params: NonNullable<Asked['params']>, { say, left }: Ear) {
    const _meta = { 'io.modelcontextprotocol/subscriptionId': subscriptionId }
    const tell: Tell = (message) => say({ ...message, params: { ...message.params, _meta } })
    const taskIds = params.notifications?.taskIds ?? []
    const unfollow = this.#tasks.follow({ holder: holderOf(params), ids: new Set(taskIds), tell })
    const method = 'notifications/subscriptions/acknowledged'
    tell({ jsonrpc: '2.0', method, params: { notifications: { taskIds } } })
    await left
    unfollow()
    return { _meta }
  }

  /** Cursors are the same for everybody. */
  #page(cursor: string | undefined) {
    const page = Number(cursor ?? 0)
    const resources = [{ uri: `test://page/${page}`, name: `page ${page}` }]
    return page + 1 < pages ? { resources, nextCursor: String(page + 1) } : { resources }
  }

  async #call(params: NonNullable<Asked['params']>, { say }: Ear): Promise<object> {
    const told = params.arguments?.text
    await pause()
    switch (params.name) {
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
      case 'later':
        if (!this.isModern && params.task === undefined) return textOf(told)
        return this.#tasks.make(holderOf(params), told ?? '')
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

  async #askNow(told: string | undefined, say: Ear['say']): Promise<object> {
    this.#asked += 1
    const id = this.#asked
    const heard = new Promise<string | undefined>((resolve) => this.#waiting.set(id, resolve))
    const params = { message: told, requestedSchema: question }
    say({ jsonrpc: '2.0', id, method: 'elicitation/create', params })
    return textOf(told, await heard)
  }
}
