/**
 * Which arguments of a tool must headers repeat, as its server says?
 *
 * Stops: calls that a server of 2026-07-28 refuses because a legacy client knows of no such headers.
 * Trusts: the server's own list of tools, as the same owner sees it.
 * Fails: a list that cannot be read means no headers; the server then refuses the call itself.
 * @see MCP 2026-07-28, Streamable HTTP, x-mcp-header
 */
import { type Clock, Fault } from '#kernel'
import { isObject, type Message, mirroredHeaders, mirrorsOf, type Mirror, modernRequest } from '#protocol'
import type { EndSignal, UpstreamRequest } from '../transports/transport.ts'
import { type Face, onward, responseOf, written } from './face.ts'
import { envelopeOf, type FaceSession } from './sessions.ts'

export interface Asker {
  readonly request: UpstreamRequest
  readonly session: FaceSession
  readonly signal: EndSignal
}

export interface MirrorBook {
  /** Takes note of the tools in a response to `tools/list`. */
  learn(session: FaceSession, response: Message): void
  /** What the headers of a call of this tool repeat; the server is asked for its tools when it is not known. */
  of(face: Face, asker: Asker, tool: string): Promise<readonly Mirror[]>
  /** The tools changed, or the server sees them otherwise. */
  forget(session: FaceSession): void
  /** Of every owner. */
  forgetAll(upstream: string): void
}

interface Page {
  readonly upstream: string
  readonly tools: Map<string, readonly Mirror[]>
  /** Whether a tool that is not in it is not offered. */
  isComplete: boolean
  readonly until: number
}

const freshForMs = 5 * 60_000
const maxPages = 1_024
const maxListPages = 64
const maxTools = 1_000
/** Of one tool; more headers than that no server reads. */
const maxMirrors = 64

const keyOf = ({ upstream, ownerId }: FaceSession): string => JSON.stringify([upstream, ownerId])

async function listPage(face: Face, { request, session, signal }: Asker, cursor: string | undefined) {
  const id = face.nextId()
  const params = cursor === undefined ? {} : { params: { cursor } }
  const question = written(JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/list', ...params }))
  const message = written(modernRequest(question, envelopeOf(session), id))
  const answer = await face.exchange(onward(request, { message, headers: mirroredHeaders(message), signal }))
  return responseOf(answer, id)
}

function note({ tools }: Page, listed: unknown): void {
  for (const tool of Array.isArray(listed) ? (listed as unknown[]) : []) {
    if (!isObject(tool) || typeof tool['name'] !== 'string' || tools.size >= maxTools) continue
    tools.set(tool['name'], mirrorsOf(tool['inputSchema']).slice(0, maxMirrors))
  }
}

export function createMirrorBook(clock: Clock): MirrorBook {
  const pages = new Map<string, Page>()

  function pageOf(session: FaceSession): Page | undefined {
    const page = pages.get(keyOf(session))
    return page === undefined || page.until <= clock.now() ? undefined : page
  }

  function openPage(session: FaceSession): Page {
    const page: Page = {
      upstream: session.upstream,
      tools: new Map(),
      isComplete: false,
      until: clock.now() + freshForMs,
    }
    if (pages.size >= maxPages) pages.delete(pages.keys().next().value ?? '')
    pages.set(keyOf(session), page)
    return page
  }

  function learn(session: FaceSession, { json }: Message): string | undefined {
    const result = isObject(json['result']) ? json['result'] : {}
    note(pageOf(session) ?? openPage(session), result['tools'])
    return typeof result['nextCursor'] === 'string' ? result['nextCursor'] : undefined
  }

  async function learnAll(face: Face, asker: Asker): Promise<void> {
    let cursor: string | undefined
    for (let number = 0; number < maxListPages; number += 1) {
      const response = await listPage(face, asker, cursor)
      if (response === undefined) return
      cursor = learn(asker.session, response)
      if (cursor === undefined) break
    }
    const page = pageOf(asker.session)
    if (page !== undefined) page.isComplete = true
  }

  return {
    learn: (session, response) => void learn(session, response),
    async of(face, asker, tool) {
      const page = pageOf(asker.session)
      const known = page?.tools.get(tool)
      if (known !== undefined || page?.isComplete === true) return known ?? []
      try {
        await learnAll(face, asker)
      } catch (thrown) {
        // WHY: a server that cannot list its tools may still carry one out.
        if (!(thrown instanceof Fault) || asker.signal.aborted) throw thrown
      }
      return pageOf(asker.session)?.tools.get(tool) ?? []
    },
    forget: (session) => void pages.delete(keyOf(session)),
    forgetAll(upstream) {
      for (const [key, page] of pages) if (page.upstream === upstream) pages.delete(key)
    },
  }
}
