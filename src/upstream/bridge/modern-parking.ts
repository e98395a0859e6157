/**
 * Which call of whom waits for these answers?
 *
 * Stops: altered, foreign, repeated and expired states; answers to a call with other arguments; calls parked without end.
 * Trusts: the sealer: a state opens only for the person and server it was made for.
 * Fails: a state that does not fit opens nothing and ends nothing: the parked call stays where it is, for as long as it may.
 * At the bound the owner's own call that nobody came back to makes room; else no further question is asked.
 * @see MCP 2026-07-28, multi round-trip requests, requestState
 */
import { createHash, randomBytes } from 'node:crypto'
import canonicalize from 'canonicalize'
import { Fault, type Clock, type Sealer } from '#kernel'
import { isObject, type Message } from '#protocol'
import { type Asked, type Call, longestQuestionMs } from './modern-call.ts'

export interface ParkingLimits {
  readonly maxParked: number
  readonly maxParkedPerOwner: number
  readonly parkMs: number
  /** A call whose client has not come back for so long gives way to a newer one of the same owner. */
  readonly leftAfterMs: number
}

const defaultParkingLimits: ParkingLimits = {
  maxParked: 512,
  maxParkedPerOwner: 16,
  parkMs: longestQuestionMs,
  leftAfterMs: 10_000,
}

interface ParkingNeeds {
  readonly sealer: Sealer
  readonly clock: Clock
  readonly node: string
  readonly limits?: Partial<ParkingLimits> | undefined
}

interface Parked {
  readonly call: Call
  readonly upstream: string
  readonly digest: string
  readonly parkedAt: number
  readonly until: number
}

/** What a state says once it is opened. */
type State = { readonly node: string; readonly parkId: string } | { readonly digest: string; readonly until: number }

export interface Parking {
  /** Whether the call may ask: it has asked before, or there is room for one more. Room it keeps until it is over. */
  reserve(call: Call): boolean
  /** Ends the call of this owner that was left first, if one was. @returns whether one did */
  giveWay(ownerId: string, upstream?: string): boolean
  /** @returns the sealed state that the client brings back */
  park(call: Call, upstream: string, asked: Asked): string
  /** @returns the sealed state of a call that is over, and that the client may repeat */
  mark(upstream: string, asked: Asked): string
  /** The call that a state was given for, once; `repeat` for one that is over; undefined for everything else. */
  take(upstream: string, asked: Asked): Call | 'repeat' | undefined
  forget(upstream: string): void
  close(): void
}

const ofRetry = new Set(['_meta', 'inputResponses', 'requestState'])

/** Of what is asked, without how and with which answers. */
function digestOf({ method, params }: Message): string {
  const asked = Object.entries(params ?? {}).filter(([name]) => !ofRetry.has(name))
  const text = canonicalize([method, Object.fromEntries(asked)]) ?? ''
  return createHash('sha256').update(text).digest('base64url')
}

const placeOf = (upstream: string, ownerId: string): string => `mcp-request-state/${upstream}/${ownerId}`

function readState(plain: Uint8Array | undefined): State | undefined {
  if (plain === undefined) return undefined
  const state: unknown = JSON.parse(Buffer.from(plain).toString('utf8'))
  if (!isObject(state)) return undefined
  const { node, parkId, digest, until } = state
  if (typeof node === 'string' && typeof parkId === 'string') return { node, parkId }
  return typeof digest === 'string' && typeof until === 'number' ? { digest, until } : undefined
}

class ParkedCalls implements Parking {
  readonly #sealer: Sealer
  readonly #clock: Clock
  readonly #node: string
  readonly #limits: ParkingLimits
  /** Calls that have asked, parked or under way. */
  readonly #reserved = new Set<Call>()
  readonly #parked = new Map<string, Parked>()
  readonly #sweeper: NodeJS.Timeout

  constructor({ sealer, clock, node, limits }: ParkingNeeds) {
    this.#sealer = sealer
    this.#clock = clock
    this.#node = node
    this.#limits = { ...defaultParkingLimits, ...limits }
    const everyMs = Math.min(10_000, Math.max(50, this.#limits.parkMs / 4))
    this.#sweeper = setInterval(() => this.#sweep(), everyMs).unref()
  }

  reserve(call: Call): boolean {
    if (this.#reserved.has(call)) return true
    this.#sweep()
    const own = [...this.#reserved].filter(({ ownerId }) => ownerId === call.ownerId).length
    const isFull = own >= this.#limits.maxParkedPerOwner || this.#reserved.size >= this.#limits.maxParked
    // WHY: a question that is not asked fails at once and for a reason; one whose answer comes in vain was somebody's work.
    if (isFull && !this.giveWay(call.ownerId)) return false
    this.#reserved.add(call)
    return true
  }

  giveWay(ownerId: string, upstream?: string): boolean {
    const leftBefore = this.#clock.now() - this.#limits.leftAfterMs
    const isLeft = (parked: Parked): boolean =>
      parked.call.ownerId === ownerId &&
      parked.parkedAt <= leftBefore &&
      (upstream === undefined || parked.upstream === upstream)
    const first = [...this.#parked.values()].find(isLeft)
    if (first === undefined) return false
    this.#drop((parked) => parked === first, new Fault('upstream.timeout', 'nobody came back with an answer'))
    this.#reserved.delete(first.call)
    return true
  }

  park(call: Call, upstream: string, asked: Asked): string {
    const parkId = randomBytes(18).toString('base64url')
    call.park()
    const [parkedAt, digest] = [this.#clock.now(), digestOf(asked.message)]
    this.#parked.set(parkId, { call, upstream, digest, parkedAt, until: this.#until() })
    return this.#seal({ node: this.#node, parkId }, upstream, asked)
  }

  mark(upstream: string, asked: Asked): string {
    return this.#seal({ digest: digestOf(asked.message), until: this.#until() }, upstream, asked)
  }

  take(upstream: string, asked: Asked): Call | 'repeat' | undefined {
    const sealed = asked.message.params?.['requestState']
    if (typeof sealed !== 'string') return undefined
    const state = readState(this.#sealer.open(sealed, placeOf(upstream, asked.ownerId)))
    if (state === undefined) return undefined
    const [now, digest] = [this.#clock.now(), digestOf(asked.message)]
    if ('until' in state) return state.until > now && state.digest === digest ? 'repeat' : undefined
    if (state.node !== this.#node) return undefined
    const found = this.#parked.get(state.parkId)
    if (found === undefined || found.call.isOver || found.until <= now) return undefined
    // INVARIANT: the place that a state is sealed for names its owner; what it is looked up by is checked all the same.
    if (found.upstream !== upstream || found.call.ownerId !== asked.ownerId || found.digest !== digest) return undefined
    this.#parked.delete(state.parkId)
    return found.call
  }

  forget(upstream: string): void {
    this.#drop((parked) => parked.upstream === upstream, new Fault('upstream.unreachable', 'the upstream was removed'))
  }

  close(): void {
    clearInterval(this.#sweeper)
    this.#drop(() => true, new Fault('upstream.unreachable', 'the gateway is closing'))
  }

  #until(): number {
    return this.#clock.now() + this.#limits.parkMs
  }

  #seal(state: State, upstream: string, { ownerId }: Asked): string {
    return this.#sealer.seal(Buffer.from(JSON.stringify(state)), placeOf(upstream, ownerId))
  }

  #sweep(): void {
    const now = this.#clock.now()
    const isExpired = ({ call, until }: Parked): boolean => call.isOver || until <= now
    this.#drop(isExpired, new Fault('upstream.timeout', 'nobody answered the question'))
    for (const call of this.#reserved) if (call.isOver) this.#reserved.delete(call)
  }

  #drop(isDropped: (parked: Parked) => boolean, fault: Fault): void {
    for (const [parkId, parked] of this.#parked) {
      if (!isDropped(parked)) continue
      this.#parked.delete(parkId)
      parked.call.cancel(fault)
    }
  }
}

/** Keeps calls whose clients are to come back with answers. */
export function createParking(needs: ParkingNeeds): Parking {
  return new ParkedCalls(needs)
}
