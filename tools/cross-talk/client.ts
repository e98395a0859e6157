/** One client of the proof of cross-talk: speaks raw HTTP, and looks at every character that it is sent. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Dispatcher, Pool } from 'undici'
import type { Random } from '../fuzz/random.ts'
import type { Findings } from './findings.ts'
import type { Lane } from './lanes.ts'

export interface Message {
  readonly id?: string | number
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number }
}

export interface Reply {
  readonly status: number
  readonly session: string | undefined
  /** The response to the request; undefined when there was none. */
  readonly response: Message | undefined
}

interface Asking {
  readonly method: string
  readonly params?: Readonly<Record<string, unknown>>
  /** Value of the header `Mcp-Name`. */
  readonly name?: string
  /** Marks that may come back, besides the newest. */
  readonly allowed?: RegExp
  /** Hangs up after so long. */
  readonly hangUpAfterMs?: number
  /** Another session than the client's own. */
  readonly session?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** An open stream of news. */
export interface Hearing {
  /** 200 while it is open. */
  readonly status: number
  /** The id of the request that opened it, where one did. */
  readonly id: number | undefined
  /** Closes it. Resolves when nothing more is read. */
  leave(): Promise<void>
}

export interface ClientOptions {
  readonly pool: Pool
  readonly lane: Lane
  readonly token: string
  /** Number of the person, and of the client among all. */
  readonly person: number
  readonly number: number
  readonly findings: Findings
  readonly random: Random
}

const markPattern = /mark-\d+-\d+-\d+/g
const answerTimeoutMs = 60_000
const modern = '2026-07-28'
const legacy = '2025-11-25'
const capabilities = { elicitation: { form: {} } }
const meta = 'io.modelcontextprotocol/'

export class Client {
  readonly options: ClientOptions
  session: string | undefined
  /** The newest state that a server gave this client to bring back. */
  requestState: string | undefined
  cursor: string | undefined
  /** The handle of its newest task. */
  task: string | undefined
  /** Told of each notification, wherever it comes. */
  onNews: (message: Message) => void = () => undefined
  #id = 0
  #marks = 0

  constructor(options: ClientOptions) {
    this.options = options
  }

  /** A text that nobody else ever sends. */
  nextMark(): string {
    const { person, number } = this.options
    this.#marks += 1
    return `mark-${person}-${number}-${this.#marks}`
  }

  get mark(): string {
    const { person, number } = this.options
    return `mark-${person}-${number}-${this.#marks}`
  }

  /** The marks of this client, old ones too. */
  get ownMarks(): RegExp {
    const { person, number } = this.options
    return new RegExp(`^mark-${person}-${number}-`)
  }

  get #info() {
    return { name: `client-${this.options.number}`, version: '1' }
  }

  async open(): Promise<void> {
    if (this.options.lane.era === 'modern') return
    const params = { protocolVersion: legacy, capabilities: { elicitation: {} }, clientInfo: this.#info }
    const { session, status } = await this.ask({ method: 'initialize', params })
    if (session === undefined) throw new Error(`${this.options.lane.name}: no session, ${status}`)
    this.session = session
    await this.#post({ jsonrpc: '2.0', method: 'notifications/initialized' }, { method: '' })
  }

  /** Ends the session, where there is one. */
  async close(): Promise<void> {
    if (this.session === undefined) return
    const { pool, lane } = this.options
    const answer = await pool.request({ method: 'DELETE', path: lane.path, headers: this.#headers({ method: '' }) })
    await answer.body.dump()
    this.session = undefined
  }

  /** Asks, answers what is asked in between, and judges everything that comes. */
  async ask(asking: Asking, isAgain = false): Promise<Reply> {
    if (!isAgain) this.#id += 1
    return this.#post(this.#request(asking), asking)
  }

  /** Opens a stream of what belongs to no request: by a GET, or by asking for it where that is how it is done. */
  async listen(filter: object): Promise<Hearing> {
    const { pool, lane, findings } = this.options
    const asking: Asking = { method: 'subscriptions/listen', params: { notifications: filter }, allowed: this.ownMarks }
    const leaving = new AbortController()
    const { signal } = leaving
    const isModern = lane.era === 'modern'
    if (isModern) this.#id += 1
    const id = isModern ? this.#id : undefined
    const headers = { ...this.#headers(asking), ...(isModern ? {} : { accept: 'text/event-stream' }) }
    const body = isModern ? JSON.stringify(this.#request(asking)) : null
    findings.asked()
    const method = isModern ? 'POST' : 'GET'
    const answer = await pool.request({ method, path: lane.path, headers, body, signal })
    const { statusCode: status } = answer
    if (status === 429 || status === 503) findings.turnedAway()
    if (status === 404 && this.session !== undefined) this.#lose()
    let isLeft = false
    const read = this.#read(answer, asking, id).catch((error: unknown) => {
      if (!isLeft) findings.wrong(`${lane.name}: a stream of news broke off: ${String(error)}`)
    })
    const leave = async (): Promise<void> => {
      isLeft = true
      leaving.abort()
      await read
    }
    return { status, id, leave }
  }

  /** The request under the newest id. */
  #request({ method, params }: Asking): object {
    const isModern = this.options.lane.era === 'modern'
    const declared = {
      ...capabilities,
      ...(this.options.lane.hasTasks ? { extensions: { [`${meta}tasks`]: {} } } : {}),
    }
    const envelope = {
      [`${meta}protocolVersion`]: modern,
      [`${meta}clientCapabilities`]: declared,
      [`${meta}clientInfo`]: this.#info,
    }
    // WHY: everybody counts from one, so that nothing but the person and the session tells two requests apart.
    const _meta = { progressToken: this.#id, ...(isModern ? envelope : {}) }
    return { jsonrpc: '2.0', id: this.#id, method, params: method === 'initialize' ? params : { ...params, _meta } }
  }

  #headers(asking: Asking): Record<string, string> {
    const { lane, token } = this.options
    const session = asking.session ?? this.session
    return {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
      ...(session === undefined ? {} : { 'mcp-session-id': session }),
      ...(lane.era === 'modern' ? { 'mcp-protocol-version': modern, 'mcp-method': asking.method } : {}),
      ...(lane.era === 'modern' && asking.name !== undefined ? { 'mcp-name': asking.name } : {}),
      ...(lane.era === 'legacy' && asking.method !== 'initialize' ? { 'mcp-protocol-version': legacy } : {}),
      ...asking.headers,
    }
  }

  async #post(message: object, asking: Asking): Promise<Reply> {
    const { pool, lane, findings } = this.options
    const signal = AbortSignal.timeout(asking.hangUpAfterMs ?? answerTimeoutMs)
    findings.asked()
    let answer: Dispatcher.ResponseData
    const body = JSON.stringify(message)
    try {
      answer = await pool.request({ method: 'POST', path: lane.path, headers: this.#headers(asking), body, signal })
    } catch (error) {
      return this.#broken(asking, error)
    }
    const session = answer.headers['mcp-session-id']
    const status = answer.statusCode
    const id = 'id' in message ? message.id : undefined
    try {
      const response = await this.#read(answer, asking, id)
      if (status === 429 || status === 503) findings.turnedAway()
      if (status === 404 && asking.session === undefined && this.session !== undefined) this.#lose()
      return { status, response, session: typeof session === 'string' ? session : undefined }
    } catch (error) {
      return this.#broken(asking, error)
    }
  }

  /** SPEC: 2025-11-25: a session that the server has ended is answered 404, and the client begins another. */
  #lose(): void {
    this.session = undefined
    this.options.findings.lostSession()
  }

  #broken(asking: Asking, error: unknown): Reply {
    const { findings, lane } = this.options
    if (asking.hangUpAfterMs === undefined)
      findings.wrong(`${lane.name}: ${asking.method} unanswered: ${String(error)}`)
    return { status: 0, response: undefined, session: undefined }
  }

  /** Reads an answer to its end, message by message. */
  async #read({ body, headers }: Dispatcher.ResponseData, asking: Asking, id: unknown): Promise<Message | undefined> {
    const isStream = String(headers['content-type']).startsWith('text/event-stream')
    let kept = ''
    let response: Message | undefined
    for await (const chunk of body) {
      kept += String(chunk)
      for (let end = kept.indexOf('\n\n'); isStream && end !== -1; end = kept.indexOf('\n\n')) {
        const event = kept.slice(0, end)
        kept = kept.slice(end + 2)
        const data = event.split('\n').filter((line) => line.startsWith('data: '))
        if (data.length > 0) response = this.#take(data.map((line) => line.slice(6)).join('\n'), asking, id) ?? response
      }
    }
    return isStream || kept === '' ? response : this.#take(kept, asking, id)
  }

  /** @returns the message when it is the response */
  #take(text: string, asking: Asking, id: unknown): Message | undefined {
    const { findings, lane } = this.options
    this.#judge(text, asking)
    const message = JSON.parse(text) as Message
    if (message.method === undefined) {
      if (message.id !== id && message.error === undefined) findings.wrong(`${lane.name}: an answer to another request`)
      return message
    }
    this.onNews(message)
    const token = message.params?.['progressToken']
    if (token !== undefined && id !== undefined && token !== id)
      findings.wrong(`${lane.name}: progress of another request`)
    if (message.id !== undefined) void this.#answerBack(message)
    return undefined
  }

  /** INVARIANT: nothing that comes holds a mark of anybody else, nor an old one of one's own. */
  #judge(text: string, { allowed, method }: Asking): void {
    const { findings, lane } = this.options
    for (const [mark] of text.matchAll(markPattern)) {
      if (mark !== this.mark && allowed?.test(mark) !== true) {
        findings.wrong(`${lane.name}: ${this.mark} was told ${mark} by ${method}: ${text.slice(0, 300)}`)
      }
    }
  }

  async #answerBack({ id, method }: Message): Promise<void> {
    const { random, findings, lane } = this.options
    await sleep(random.below(4))
    const message = { jsonrpc: '2.0', id, result: { action: 'accept', content: { said: this.mark } } }
    const { status } = await this.#post(message, { method: '' })
    if (status !== 202) findings.wrong(`${lane.name}: the answer to ${method} was not taken: ${status}`)
  }
}
