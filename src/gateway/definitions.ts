/**
 * What does this upstream say its tools are, right now, in this session?
 * Stops: a tool whose definition changed after it was approved, also when nobody lists it again; lists without end.
 * Trusts: nothing it hears: definitions are only compared with approved ones and shown to administrators.
 * Fails: an upstream that cannot be asked, or gives no list, has failed: nothing is known of its tools, and none is called.
 */
import type { Ledger } from '#audit'
import { type Clock, createId, Fault } from '#kernel'
import { errorCodes, isObject, isProblem, metaKeys, readUpstreamMessage } from '#protocol'
import { readTool, type UpstreamAnswer, type Upstreams } from '#upstream'
import { definitionsChecked } from './events.ts'
import { hopFault } from './upstream-refusal.ts'
import type { Authenticated } from './guards/authenticate-caller.ts'
import type { Session } from './guards/bind-session.ts'
import type { Inbound } from './guards/read-message.ts'
import type { Aim } from './guards/resolve-target.ts'
import type { Arrival } from './arrival.ts'

export type Caller = Arrival & Authenticated & Inbound & Session & Aim

export interface Definitions {
  /**
   * The hash of what the upstream currently claims the tool to be; undefined when it does not offer it. Synchronous
   * while a recent answer says what is expected; otherwise the upstream is asked.
   */
  currentHash(caller: Caller, tool: string, expectedHash: string): string | undefined | Promise<string | undefined>
  /** The upstream said that its tools changed: ask again before the next call. */
  forget(caller: Pick<Caller, 'upstream' | 'upstreamSessionId' | 'principal'>): void
}

interface Seen {
  readonly hashes: ReadonlyMap<string, string>
  readonly until: number
}

const freshForMs = 60_000
const maxRemembered = 10_000
const maxPages = 64
const maxTools = 1_000
const maxListBytes = 16 * 1024 * 1024
/** For all pages together. */
const listDeadlineMs = 30_000

function keyOf({ upstream, upstreamSessionId, principal }: Parameters<Definitions['forget']>[0]): string {
  return upstreamSessionId === undefined
    ? `${upstream.name}\nperson/${principal.id}`
    : `${upstream.name}\nsession/${upstreamSessionId}`
}

function listRequest(caller: Caller, id: string, cursor: string | undefined): Buffer {
  const given = caller.message?.params?.['_meta']
  const meta: Record<string, unknown> = {}
  if (caller.era === 'modern') {
    meta[metaKeys.protocolVersion] = caller.version
    meta[metaKeys.clientCapabilities] = isObject(given) ? given[metaKeys.clientCapabilities] : {}
  }
  const params = {
    ...(cursor === undefined ? {} : { cursor }),
    ...(caller.era === 'modern' ? { _meta: meta } : {}),
  }
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/list', params }))
}

interface Page {
  readonly tools: readonly unknown[]
  /** Where the list goes on. */
  readonly cursor: string | undefined
  readonly bytes: number
}

const noTools: Page = { tools: [], cursor: undefined, bytes: 0 }

function pageOf({ tools, nextCursor }: Record<string, unknown>, bytes: number): Page | 'no-list' {
  if (!Array.isArray(tools)) return 'no-list'
  return { tools, cursor: typeof nextCursor === 'string' ? nextCursor : undefined, bytes }
}

/** @returns undefined when nothing answers the request */
async function answerTo(answer: UpstreamAnswer, id: string): Promise<Page | 'no-list' | undefined> {
  for await (const frame of answer.frames) {
    if (frame.body === '') continue
    const message = readUpstreamMessage(frame.body)
    if (isProblem(message) || message.kind !== 'response' || message.id !== id) continue
    const { result, error } = message.json
    if (isObject(result)) return pageOf(result, frame.body.length)
    // SPEC: a server without tools does not know the method.
    return isObject(error) && error['code'] === errorCodes.methodNotFound ? noTools : 'no-list'
  }
  return undefined
}

interface DefinitionRooms {
  readonly upstreams: Upstreams
  readonly ledger: Ledger
  readonly clock: Clock
}

async function listPage(
  { upstreams, clock }: DefinitionRooms,
  caller: Caller,
  page: { cursor: string | undefined; signal: AbortSignal },
): Promise<Page> {
  // SPEC: 2025-11-25, requests: an id is never used twice in a session.
  const id = `castellan-${createId(clock.now())}`
  const answer = await upstreams.exchange({
    upstream: caller.upstream,
    ownerId: caller.principal.id,
    era: caller.era,
    httpMethod: 'POST',
    ...(caller.upstreamSessionId === undefined ? {} : { sessionId: caller.upstreamSessionId }),
    message: { kind: 'request', method: 'tools/list', id },
    body: listRequest(caller, id, page.cursor),
    headers: {
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': caller.version,
      ...(caller.era === 'modern' ? { 'mcp-method': 'tools/list' } : {}),
    },
    signal: page.signal,
    deadlineMs: listDeadlineMs,
  })
  const broken = hopFault(answer)
  if (broken !== undefined) throw broken
  const found = await answerTo(answer, id)
  if (typeof found === 'object') return found
  // WHY: a client learns only from 404 that it has to begin anew; many servers answer 400 in a session they forgot.
  const isForgotten = found === undefined && answer.status === 400 && caller.upstreamSessionId !== undefined
  const code = isForgotten ? 'upstream.session-ended' : 'upstream.misbehaved'
  throw new Fault(code, `the upstream answered ${answer.status} without a list of its tools`)
}

async function listAll(rooms: DefinitionRooms, caller: Caller): Promise<unknown[]> {
  const tools: unknown[] = []
  const signal = AbortSignal.timeout(listDeadlineMs)
  let cursor: string | undefined
  let bytes = 0
  for (let number = 0; number < maxPages; number += 1) {
    const page = await listPage(rooms, caller, { cursor, signal })
    bytes += page.bytes
    if (bytes > maxListBytes || tools.length + page.tools.length > maxTools) break
    tools.push(...page.tools)
    cursor = page.cursor
    if (cursor === undefined) return tools
  }
  throw new Fault('upstream.misbehaved', 'the upstream lists more tools than are read')
}

async function ask(rooms: DefinitionRooms, caller: Caller): Promise<Seen> {
  await rooms.ledger.append(definitionsChecked, {
    exchange: caller.exchangeId,
    principal: caller.principal,
    target: { upstream: caller.upstream.name, kind: 'server' },
    outcome: 'intended',
  })
  const tools = await listAll(rooms, caller)
  await rooms.upstreams.pins.observe(caller.upstream.name, tools)
  const hashes = new Map<string, string>()
  for (const tool of tools) {
    const offered = readTool(tool)
    // INVARIANT: a name listed twice is not one definition, and no definition is approved under it.
    if (offered !== undefined) hashes.set(offered.tool, hashes.has(offered.tool) ? 'listed-twice' : offered.hash)
  }
  return { hashes, until: rooms.clock.now() + freshForMs }
}

export function createDefinitions(rooms: DefinitionRooms): Definitions {
  const remembered = new Map<string, Seen>()
  const asking = new Map<string, Promise<Seen>>()

  function askOnce(caller: Caller, key: string): Promise<Seen> {
    const open = asking.get(key)
    if (open !== undefined) return open
    const asked = ask(rooms, caller)
      .then((seen) => {
        // INVARIANT: forgotten while asking means the answer may be older than the change.
        if (asking.get(key) !== asked) return seen
        if (remembered.size >= maxRemembered) remembered.delete(remembered.keys().next().value ?? '')
        remembered.set(key, seen)
        return seen
      })
      .finally(() => {
        if (asking.get(key) === asked) asking.delete(key)
      })
    asking.set(key, asked)
    return asked
  }

  return {
    currentHash(caller, tool, expectedHash) {
      const key = keyOf(caller)
      const seen = remembered.get(key)
      if (seen !== undefined && seen.until > rooms.clock.now() && seen.hashes.get(tool) === expectedHash) {
        return expectedHash
      }
      return askOnce(caller, key).then((fresh) => fresh.hashes.get(tool))
    },
    forget(caller) {
      const key = keyOf(caller)
      remembered.delete(key)
      asking.delete(key)
    },
  }
}
