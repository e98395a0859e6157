/**
 * Which tools does an upstream offer, all of them?
 *
 * Stops: endless pages, lists without bound, answers to other questions.
 * Trusts: nothing in the answers; they are only compared and shown.
 * Fails: with a Fault; a list that is not complete is no list.
 * @see MCP 2025-11-25 lifecycle and tools; 2026-07-28 for servers without `initialize`
 */
import { Fault } from '#kernel'
import { isObject, isProblem, metaKeys, readUpstreamMessage } from '#protocol'
import { isModernAnswer } from './bridge/eras.ts'
import type { UpstreamAnswer, UpstreamRecord, UpstreamRequest } from './transports/transport.ts'

/** The owner of Castellan's own sessions; no person's id looks like it. */
export const surveyor = 'castellan'

const maxPages = 64
const maxTools = 1000
const maxListBytes = 16 * 1024 * 1024
const legacyRevision = '2025-11-25'
const modernRevision = '2026-07-28'

export interface SurveyNeeds {
  readonly upstream: UpstreamRecord
  readonly exchange: (request: UpstreamRequest) => Promise<UpstreamAnswer>
  /** For the whole survey, the start of a process included. */
  readonly timeoutMs: number
}

interface Question {
  readonly method: string
  readonly params: Record<string, unknown>
}

interface Reply {
  readonly result?: Record<string, unknown>
  readonly status: number
  readonly sessionId?: string
  readonly bytes: number
  /** Whether only a server of 2026-07-28 answers like this. */
  readonly isModern: boolean
}

/** What an MCP client can do: servers offer some of their tools only to clients that can. */
const capabilities = { roots: { listChanged: true }, sampling: {}, elicitation: {} }
const clientInfo = { name: 'castellan', version: '1' }

class Survey {
  readonly #needs: SurveyNeeds
  readonly #signal: AbortSignal
  #nextId = 1
  #session: { id?: string; revision: string } | undefined

  constructor(needs: SurveyNeeds) {
    this.#needs = needs
    this.#signal = AbortSignal.timeout(needs.timeoutMs)
  }

  async listTools(): Promise<unknown[]> {
    try {
      if (await this.#isModern()) return await this.#pages(true)
      const opened = await this.#ask({
        method: 'initialize',
        params: { protocolVersion: legacyRevision, capabilities, clientInfo },
      })
      if (opened.result === undefined) return await this.#pages(true)
      const revision = opened.result['protocolVersion']
      if (typeof revision !== 'string') throw new Fault('upstream.misbehaved', 'the handshake names no revision')
      this.#session = { revision, ...(opened.sessionId === undefined ? {} : { id: opened.sessionId }) }
      await this.#tell('notifications/initialized')
      const offered = opened.result['capabilities']
      return isObject(offered) && isObject(offered['tools']) ? await this.#pages(false) : []
    } catch (error) {
      if (!this.#signal.aborted) throw error
      throw new Fault('upstream.timeout', 'the upstream did not list its tools in time', { cause: error })
    } finally {
      await this.#leave()
    }
  }

  /** SPEC: 2026-07-28, backward compatibility: `server/discover` first; whoever does not know it is asked as of old. */
  async #isModern(): Promise<boolean> {
    // WHY: a child of old may end at what it does not know; it is asked in its own words first.
    if (this.#needs.upstream.transport === 'stdio') return false
    return (await this.#ask({ method: 'server/discover', params: {} }, true)).isModern
  }

  async #pages(isModern: boolean): Promise<unknown[]> {
    const tools: unknown[] = []
    const cursors = new Set<string>()
    let cursor: string | undefined
    let bytes = 0
    for (let page = 0; page < maxPages; page += 1) {
      const params = cursor === undefined ? {} : { cursor }
      const reply = await this.#ask({ method: 'tools/list', params }, isModern)
      const listed: unknown = reply.result?.['tools']
      if (!Array.isArray(listed)) throw new Fault('upstream.misbehaved', 'the upstream did not list its tools')
      bytes += reply.bytes
      if (tools.length + listed.length > maxTools || bytes > maxListBytes) {
        throw new Fault('upstream.misbehaved', 'the upstream lists more tools than are read')
      }
      tools.push(...(listed as unknown[]))
      const next = reply.result?.['nextCursor']
      if (typeof next !== 'string') return tools
      if (cursors.has(next)) throw new Fault('upstream.misbehaved', 'the pages of the upstream go in a circle')
      cursors.add(next)
      cursor = next
    }
    throw new Fault('upstream.misbehaved', 'the upstream lists more pages than are read')
  }

  async #ask({ method, params }: Question, isModern = false): Promise<Reply> {
    const id = this.#nextId++
    const _meta = {
      [metaKeys.protocolVersion]: modernRevision,
      [metaKeys.clientCapabilities]: capabilities,
      [metaKeys.clientInfo]: clientInfo,
    }
    const asked = isModern ? { ...params, _meta } : params
    const answer = await this.#needs.exchange({
      ...this.#base(isModern),
      httpMethod: 'POST',
      message: { kind: 'request', id, method, params: asked },
      body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method, params: asked })),
      headers: isModern ? { 'mcp-protocol-version': modernRevision, 'mcp-method': method } : this.#headers(),
    })
    if (answer.hopProblem === 'credentials-refused') {
      for await (const frame of answer.frames) void frame
      throw new Fault('upstream.credentials-refused', 'the upstream refused the credentials')
    }
    if (answer.status >= 500) throw new Fault('upstream.unreachable', `the upstream answered ${answer.status}`)
    return this.#replyTo(id, answer)
  }

  async #replyTo(id: number, answer: UpstreamAnswer): Promise<Reply> {
    const session = answer.sessionId === undefined ? {} : { sessionId: answer.sessionId }
    for await (const frame of answer.frames) {
      const message = frame.body === '' ? { problem: 'empty' } : readUpstreamMessage(frame.body)
      if ('problem' in message || isProblem(message) || message.kind !== 'response' || message.id !== id) continue
      const result = message.json['result']
      const bytes = frame.body.length
      const isModern = isModernAnswer(frame.body)
      return { status: answer.status, bytes, isModern, ...session, ...(isObject(result) ? { result } : {}) }
    }
    return { status: answer.status, bytes: 0, isModern: false, ...session }
  }

  async #tell(method: string): Promise<void> {
    const answer = await this.#needs.exchange({
      ...this.#base(false),
      httpMethod: 'POST',
      message: { kind: 'notification', method },
      body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', method })),
      headers: this.#headers(),
    })
    for await (const frame of answer.frames) void frame
  }

  async #leave(): Promise<void> {
    if (this.#session?.id === undefined) return
    try {
      await this.#needs.exchange({
        ...this.#base(false),
        signal: AbortSignal.timeout(5_000),
        httpMethod: 'DELETE',
        headers: this.#headers(),
      })
    } catch {
      // WHY: a session that cannot be ended, the upstream ends by itself sooner or later.
    }
  }

  #headers(): Record<string, string> {
    return this.#session === undefined ? {} : { 'mcp-protocol-version': this.#session.revision }
  }

  #base(isModern: boolean) {
    const era: 'modern' | 'legacy' = isModern ? 'modern' : 'legacy'
    return {
      upstream: this.#needs.upstream,
      ownerId: surveyor,
      era,
      signal: this.#signal,
      deadlineMs: this.#needs.timeoutMs,
      ...(this.#session?.id === undefined ? {} : { sessionId: this.#session.id }),
    }
  }
}

/**
 * All tools of an upstream: without a session where it speaks 2026-07-28 over HTTP, else in a short session of Castellan's
 * own; and without one again when it does not know `initialize`.
 */
export async function listAllTools(needs: SurveyNeeds): Promise<unknown[]> {
  return new Survey(needs).listTools()
}
