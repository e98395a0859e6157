/** One open stream of the load: opened in the way of its kind, read to its end, and tried again for as long as its group lives. */
import { Agent, request, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { preciseNow, type StreamPlan } from './load-contract.ts'

/** WHY: streams have connections of their own, and what is short shares some. */
const shared = new Agent({ keepAlive: true, maxSockets: 64 })
const retryMs = 250
const meta = 'io.modelcontextprotocol/'
const modern = '2026-07-28'
const legacy = '2025-11-25'

interface Sending {
  readonly url: string
  readonly host: string
  readonly token: string
  readonly message?: object
  readonly headers?: Record<string, string>
  readonly isStream?: boolean
}

export function send({ url, host, token, message, headers, isStream }: Sending): Promise<IncomingMessage> {
  const body = message === undefined ? undefined : JSON.stringify(message)
  return new Promise((resolve, reject) => {
    const accept = message === undefined ? 'text/event-stream' : 'application/json, text/event-stream'
    const type =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sent = request(url, {
      method: body === undefined ? 'GET' : 'POST',
      agent: isStream === true ? false : shared,
      headers: { host, authorization: `Bearer ${token}`, accept, ...type, ...headers },
    })
    sent.once('response', resolve).once('error', reject).end(body)
  })
}

export async function textOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of answer) text += String(chunk)
  return text
}

export function callMessage(id: number, name: string): object {
  return {
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name, arguments: { text: 'x' }, _meta: { progressToken: id } },
  }
}

const clientInfo = { name: 'load', version: '1' }
const initialize = {
  jsonrpc: '2.0',
  id: 'init',
  method: 'initialize',
  params: { protocolVersion: legacy, capabilities: {}, clientInfo },
}
const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' }

async function openSession(to: Sending): Promise<IncomingMessage> {
  const begun = await send({ ...to, message: initialize })
  const text = await textOf(begun)
  const session = begun.headers['mcp-session-id']
  if (typeof session !== 'string') throw new Error(`no session: ${begun.statusCode} ${text}`)
  const headers = { 'mcp-session-id': session, 'mcp-protocol-version': legacy }
  await textOf(await send({ ...to, headers, message: initialized }))
  return send({ ...to, headers, isStream: true })
}

function openSubscription(to: Sending): Promise<IncomingMessage> {
  const _meta = {
    [`${meta}protocolVersion`]: modern,
    [`${meta}clientCapabilities`]: {},
    [`${meta}clientInfo`]: clientInfo,
  }
  const params = { notifications: { resourcesListChanged: true }, _meta }
  const headers = { 'mcp-protocol-version': modern, 'mcp-method': 'subscriptions/listen' }
  const message = { jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params }
  return send({ ...to, headers, message, isStream: true })
}

async function postHandshake(to: Sending, answer: IncomingMessage): Promise<void> {
  const [first] =
    (await new Promise<Buffer[]>((resolve) => answer.once('data', (chunk: Buffer) => resolve([chunk])))) ?? []
  const endpoint = /data: (\S+)/.exec(String(first))?.[1]
  if (endpoint === undefined) throw new Error('no endpoint')
  const url = new URL(endpoint, to.url).href
  await textOf(
    await send({
      ...to,
      url,
      message: { ...initialize, params: { ...initialize.params, protocolVersion: '2024-11-05' } },
    }),
  )
  await sleep(100)
  await textOf(await send({ ...to, url, message: initialized }))
}

function open({ kind, origin, server, token }: StreamPlan, host: string): Promise<IncomingMessage> {
  const joint = kind.startsWith('joint-')
  const path = joint ? '/mcp' : `/servers/${server}/${kind === 'old-wire' ? 'sse' : 'mcp'}`
  const to = { url: `${origin}${path}`, host, token }
  if (kind === 'call') return send({ ...to, message: callMessage(1, 'drip'), isStream: true })
  if (kind === 'old-wire') return send({ ...to, isStream: true })
  return kind.endsWith('subscription') ? openSubscription(to) : openSession(to)
}

export class Stream {
  readonly plan: StreamPlan
  lastByteAt = 0
  closedAt: number | null = null
  reopened = 0
  problem = ''
  #isLeft = false
  #answer: IncomingMessage | undefined

  constructor(plan: StreamPlan) {
    this.plan = plan
  }

  /** @returns whether it is open */
  async open(host: string): Promise<boolean> {
    const answer = await open(this.plan, host)
    this.#answer = answer
    answer.on('error', () => undefined)
    if (answer.statusCode !== 200) {
      this.problem = `${this.plan.kind}: ${answer.statusCode} ${await textOf(answer)}`
      return false
    }
    const closed = new Promise<void>((resolve) => answer.once('close', resolve))
    answer.on('data', () => (this.lastByteAt = preciseNow()))
    if (this.plan.kind === 'old-wire')
      await postHandshake({ url: this.plan.origin, host, token: this.plan.token }, answer)
    void closed.then(() => {
      if (!this.#isLeft) this.#ended(host)
    })
    return true
  }

  #ended(host: string): void {
    this.closedAt ??= preciseNow()
    void this.#tryAgain(host)
  }

  /** A client that does not take no for an answer. */
  async #tryAgain(host: string): Promise<void> {
    while (!this.#isLeft) {
      const isOpen = await this.open(host).catch(() => false)
      if (isOpen) {
        this.reopened += 1
        this.closedAt = preciseNow()
        return
      }
      await sleep(retryMs)
    }
  }

  leave(): void {
    this.#isLeft = true
    this.#answer?.destroy()
  }
}
