/**
 * Which eras of the protocol does an upstream speak?
 *
 * Stops: a request sent in an era that its server does not know; a verdict drawn from an answer that is none.
 * Trusts: an upstream to say about itself what it likes: a wrong answer costs it its own clients only.
 * Fails: what describes the way to the upstream (401, 403, 429, 5xx, unreachable) decides nothing and is handed back.
 * @see MCP 2026-07-28, server/discover and backward compatibility
 */
import { Fault, type Clock } from '#kernel'
import { type Era, errorCodes, isObject, isProblem, metaKeys, modernRevisions, readUpstreamMessage } from '#protocol'
import { openSession, PooledSession } from '../pool/session.ts'
import {
  type EndSignal,
  type Exchange,
  identityOf,
  type UpstreamAnswer,
  type UpstreamRecord,
  type UpstreamRequest,
} from '../transports/transport.ts'

/** How long a verdict holds: one that a server is of old would otherwise never be doubted, because it works. */
const verdictMs = 10 * 60_000
/** SPEC: over stdio a server that does not answer the probe is a legacy one. */
const stdioProbeMs = 10_000
/** For an answer that begins in time and does not come to an end. */
const graceMs = 1_000

/** What is known: for each era whether it is spoken, undefined when nobody asked. */
interface Verdict {
  readonly upstream: string
  legacy: boolean | undefined
  modern: boolean | undefined
  until: number
}

/** An answer that decides nothing is the answer to whoever asked. */
export type Found = Era | UpstreamAnswer

export interface Eras {
  /** Whether the upstream speaks this era; undefined when it is not known. Old news is told while it is asked again. */
  speaks(request: UpstreamRequest): boolean | undefined
  learn(upstream: UpstreamRecord, era: Era, isSpoken: boolean): void
  /** Asks the upstream, once at a time. Rejects with a Fault when it cannot be reached. */
  probe(request: UpstreamRequest): Promise<Found>
  /**
   * Whether the upstream opens a session for Castellan itself, once at a time; undefined when that cannot be found out. WHY:
   * what it answered to a client may have been the client's own fault, and the verdict is everybody's.
   */
  opensSessions(request: UpstreamRequest): Promise<boolean | undefined>
  forget(upstream: string): void
}

const probeId = 'castellan-discover'

function probeBody(version: string): Buffer {
  const _meta = {
    [metaKeys.protocolVersion]: version,
    [metaKeys.clientCapabilities]: {},
    [metaKeys.clientInfo]: { name: 'castellan', version: '1' },
  }
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: probeId, method: 'server/discover', params: { _meta } }))
}

/** Errors that only a server of the modern era gives. */
const modernErrors: ReadonlySet<unknown> = new Set([
  errorCodes.headerMismatch,
  errorCodes.missingCapability,
  errorCodes.unsupportedVersion,
])

function versionsOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined
}

function servesOurs(versions: readonly unknown[] | undefined): boolean {
  return versions?.some((version) => typeof version === 'string' && modernRevisions.includes(version)) ?? false
}

/** Whether a text is how only a server of the modern era answers. */
export function isModernAnswer(text: string): boolean {
  const message = readUpstreamMessage(text)
  if (isProblem(message) || message.kind !== 'response') return false
  const { result, error } = message.json
  if (isObject(result)) {
    return typeof result['resultType'] === 'string' || servesOurs(versionsOf(result['supportedVersions']))
  }
  if (!isObject(error) || !modernErrors.has(error['code'])) return false
  const supported = isObject(error['data']) ? versionsOf(error['data']['supported']) : undefined
  return supported === undefined || servesOurs(supported)
}

async function eraOf(answer: UpstreamAnswer): Promise<Era> {
  for await (const { body } of answer.frames) {
    if (body === '') continue
    const message = readUpstreamMessage(body)
    if (!isProblem(message) && message.kind === 'response') return isModernAnswer(body) ? 'modern' : 'legacy'
  }
  return 'legacy'
}

function isOfTheWay({ hopProblem, status }: UpstreamAnswer): boolean {
  return (hopProblem !== undefined && hopProblem !== 'session-ended') || status >= 500
}

/** Faults of a child that was not asked at all. */
const ofTheWay = new Set(['upstream.unavailable', 'upstream.overloaded', 'upstream.cancelled'])

async function ask(exchange: Exchange, request: UpstreamRequest): Promise<{ found: Found; isSure: boolean }> {
  const { upstream, ownerId, deadlineMs } = request
  const isStdio = upstream.transport === 'stdio'
  const [version = ''] = modernRevisions
  const ended = new AbortController()
  const base = { upstream, ownerId, era: 'modern' as const, signal: ended.signal as EndSignal }
  const silenceMs = isStdio ? Math.min(deadlineMs, stdioProbeMs) : deadlineMs
  const timer = setTimeout(() => ended.abort(), silenceMs + graceMs)
  try {
    const answer = await exchange({
      ...base,
      httpMethod: 'POST',
      message: { kind: 'request', id: probeId, method: 'server/discover' },
      body: probeBody(version),
      headers: { 'mcp-protocol-version': version, 'mcp-method': 'server/discover' },
      deadlineMs: silenceMs,
    })
    if (isOfTheWay(answer)) return { found: answer, isSure: false }
    const found = await eraOf(answer)
    // WHY: a child that was started to be asked has no other use.
    if (isStdio && found === 'legacy') void leave(exchange, { ...request, ...base })
    return { found, isSure: true }
  } catch (error) {
    if (ended.signal.aborted) throw new Fault('upstream.timeout', 'the probe did not end in time', { cause: error })
    if (!isStdio || !(error instanceof Fault) || ofTheWay.has(error.code)) throw error
    void leave(exchange, { ...request, ...base })
    return { found: 'legacy', isSure: true }
  } finally {
    clearTimeout(timer)
    ended.abort()
  }
}

const ofNobody = { usedBy: () => 'nobody' as const, ended: () => undefined }

async function opens(exchange: Exchange, request: UpstreamRequest): Promise<boolean | undefined> {
  const { upstream, ownerId, deadlineMs } = request
  try {
    const opened = await openSession(exchange, { upstream, ownerId, capabilities: {}, deadlineMs, keeper: ofNobody })
    if (!(opened instanceof PooledSession)) return opened === undefined ? false : undefined
    void opened.end()
    return true
  } catch (error) {
    return error instanceof Fault && error.code === 'upstream.misbehaved' ? false : undefined
  }
}

/** Does what is under way already only once. */
function createOnce<T>(): (key: string, begin: () => Promise<T>) => Promise<T> {
  const open = new Map<string, Promise<T>>()
  return (key, begin) => {
    const known = open.get(key)
    if (known !== undefined) return known
    const begun = begin().finally(() => open.delete(key))
    open.set(key, begun)
    return begun
  }
}

/** WHY: a child is one owner's, and so is what stands in the way of asking it. */
function askedOf({ upstream, ownerId }: UpstreamRequest): string {
  return upstream.transport === 'stdio' ? `${identityOf(upstream)}\n${ownerId}` : identityOf(upstream)
}

async function leave(exchange: Exchange, request: UpstreamRequest): Promise<void> {
  const { upstream, ownerId, era } = request
  const { signal } = new AbortController()
  try {
    await exchange({ upstream, ownerId, era, httpMethod: 'DELETE', headers: {}, signal, deadlineMs: stdioProbeMs })
  } catch {
    // WHY: a child that cannot be ended at once is ended when it was idle for long enough.
  }
}

/** @param needs.exchange reaches upstreams in the era of the request, whatever they speak */
export function createEras({ exchange, clock }: { exchange: Exchange; clock: Clock }): Eras {
  const verdicts = new Map<string, Verdict>()
  const probing = createOnce<Found>()
  const opening = createOnce<boolean | undefined>()

  function learn(upstream: UpstreamRecord, era: Era, isSpoken: boolean): void {
    const identity = identityOf(upstream)
    const unknown = { upstream: upstream.name, legacy: undefined, modern: undefined, until: 0 }
    const verdict = verdicts.get(identity) ?? unknown
    verdict[era] = isSpoken
    verdict.until = clock.now() + verdictMs
    verdicts.set(identity, verdict)
  }

  async function find(request: UpstreamRequest): Promise<Found> {
    const { upstream } = request
    const { found, isSure } = await ask(exchange, request)
    if (typeof found !== 'string' || !isSure) return found
    learn(upstream, 'modern', found === 'modern')
    if (found === 'legacy') learn(upstream, 'legacy', true)
    return found
  }

  const probe = (request: UpstreamRequest): Promise<Found> => probing(askedOf(request), () => find(request))

  return {
    speaks(request) {
      const verdict = verdicts.get(identityOf(request.upstream))
      const isSpoken = verdict?.[request.era]
      if (verdict === undefined || isSpoken === undefined || verdict.until > clock.now()) return isSpoken
      // WHY: a server that is spoken to in its own era of old shows by its next answer whether it still has it.
      if (request.era === 'legacy' && isSpoken) return undefined
      verdict.until = clock.now() + verdictMs
      probe(request).catch(() => undefined)
      return isSpoken
    },
    learn,
    probe,
    opensSessions: (request) => opening(askedOf(request), () => opens(exchange, request)),
    forget(upstream) {
      for (const [identity, verdict] of verdicts) if (verdict.upstream === upstream) verdicts.delete(identity)
    },
  }
}
