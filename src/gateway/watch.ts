/**
 * Does what allowed an open exchange still hold?
 * Stops: open streams outliving a revoked token, an ended session, a suspended person, a hold, a lost role, a removed
 * server or a withdrawn approval (G9); an answer whose labels were set back before it came; what rests on a consent that
 * was taken back or has ended; a call without end, whatever
 * keeps it alive; a stream that nobody uses.
 * Trusts: the database's revision: any commit of any node moves it, and then every open exchange is judged again; so does
 * the end of credentials that are in no database.
 * Fails: when it cannot be judged, the exchange is cut.
 */
import { asKept, type Clock, isRefusal, type Place, type Principal, refuse, type Refusal, Roll } from '#kernel'
import type { Policy, Remedies } from '#policy'
import { identityRefusals } from '#identity'
import type { UpstreamRecord, Upstreams } from '#upstream'
import { decideAim } from './guards/authorize-call.ts'
import type { Consented } from './flow/read-consents.ts'
import type { Labelled } from './flow/read-labels.ts'
import { type Pins, pinRefusal } from './guards/match-pinned-tool.ts'
import { heldRefusal } from './guards/refuse-held.ts'
import type { Aim } from './guards/resolve-target.ts'
import { createStreamLives, type StreamLife, type StreamLives, type StreamUse } from './limits/stream-life.ts'
import { gatewayRefusals } from './refusals.ts'
import type { GatewayLimits } from './rooms.ts'

type StreamLimits = Pick<GatewayLimits, 'streamSeconds' | 'openStreamSeconds' | 'openStreamIdleSeconds'>

export interface WatchRooms {
  readonly database: { revision(): number }
  readonly identity: { stillValid(principal: Principal): boolean | Promise<boolean>; epoch(): number }
  readonly policy: Pick<Policy, 'decide' | 'findHold' | 'refresh'> & {
    readonly roles: Pick<Policy['roles'], 'keptOf'>
    readonly flow: Pick<Policy['flow'], 'keeps'>
  }
  readonly remedies: { readonly consents: Pick<Remedies['consents'], 'inForce'> }
  readonly upstreams: {
    readonly catalog: Pick<Upstreams['catalog'], 'find' | 'refresh'>
    readonly bundles: Pick<Upstreams['bundles'], 'refresh'>
    readonly pins: Pins
  }
  readonly clock: Clock
  readonly settings: { readonly current: { readonly limits: StreamLimits } }
}

export interface OpenExchange extends Aim, Consented, Pick<Labelled, 'brought'> {
  readonly principal: Principal
  /** A stream that waits for news has no end of its own. */
  readonly waitsForNews: boolean
  /** Of a stream that waits for news: what was sent on it. One that belongs to another stream ends with that. */
  readonly use?: StreamUse | undefined
  cut(refusal: Refusal): void
}

interface Watched {
  readonly exchange: OpenExchange
  /** The revision at which it was last judged. */
  judged: number
  /** How many labels it had brought by then. */
  brought: number
  readonly openedAtTick: number
  readonly life: StreamLife | undefined
}

export interface Watch {
  /** What everything that is asked from here on is at least as new as; for `open`. */
  readonly asOf: () => number
  /**
   * Judges the exchange again whenever something changes, until the returned function is called.
   * @param asOf taken before the first guard was asked
   */
  open(exchange: OpenExchange, asOf: number): () => void
  readonly openCount: () => number
  /** Cuts what waits for news, from here on at once; it would never end by itself. */
  drain(): void
  /** Cuts whatever is open. */
  endAll(): void
  close(): void
}

const everyMs = 100
/** WHY: what is judged at the same moment is read together; all of it at once would hold up requests. */
const judgedAtOnce = 250

/** Whether a server is still the one that was asked: one removed and added again under its name is another. */
function isSame(found: UpstreamRecord | undefined, asked: UpstreamRecord): boolean {
  return JSON.stringify(found) === JSON.stringify(asked)
}

function isGone({ upstream }: OpenExchange): Refusal {
  return refuse(gatewayRefusals.serverUnknown, { names: { server: upstream.name }, detail: { isKnown: false } })
}

function judgeAim(rooms: WatchRooms, exchange: OpenExchange, current: Principal): Refusal | undefined {
  const { upstream } = exchange
  // WHY: what a call passed with is used up; what waits for news passed without.
  const decision = decideAim(rooms.policy, current, exchange, exchange.waitsForNews ? undefined : 'all')
  if (isRefusal(decision)) return decision
  if (isSame(rooms.upstreams.catalog.find(upstream.name), upstream)) return pinRefusal(rooms.upstreams.pins, exchange)
  return isGone(exchange)
}

/** WHY: the exchanges with the servers that answer together are judged each by itself. */
function judgeGathering(exchange: OpenExchange, current: Principal): Refusal | undefined {
  return exchange.gathers?.(current) === true ? undefined : isGone(exchange)
}

/** WHY: what a rule made of it is not known here; the next exchange is judged by what is left. */
async function lostConsent({ remedies }: WatchRooms, { principal, consented }: OpenExchange): Promise<boolean> {
  if (consented.purposes.size === 0) return false
  const { purposes } = await remedies.consents.inForce(principal)
  return [...consented.purposes].some((purpose) => !purposes.has(purpose))
}

async function judge(rooms: WatchRooms, exchange: OpenExchange): Promise<Refusal | undefined> {
  const { principal } = exchange
  if (principal.credential.expiresAt <= rooms.clock.now()) return refuse(identityRefusals.tokenExpired)
  if (!(await rooms.identity.stillValid(principal))) return refuse(identityRefusals.tokenInvalid)
  const held = heldRefusal(rooms.policy, exchange)
  if (held !== undefined) return held
  const { brought } = exchange
  const isKept = brought === undefined || (await rooms.policy.flow.keeps({ principal, labels: [...brought] }))
  if (!isKept) return refuse(gatewayRefusals.labelsSetBack)
  if (await lostConsent(rooms, exchange)) return refuse(gatewayRefusals.consentEnded)
  // WHY: the principal's roles and groups are those of the start; what was taken away since counts.
  const current = asKept(principal, await rooms.policy.roles.keptOf(principal.id))
  return exchange.gathers === undefined ? judgeAim(rooms, exchange, current) : judgeGathering(exchange, current)
}

type Open = Roll<Watched>

function end(open: Open, place: Place<Watched>, refusal: Refusal): void {
  open.leave(place)
  place.thing.exchange.cut(refusal)
}

function endFor(open: Open, refusal: Refusal, isMeant: (exchange: OpenExchange) => boolean): void {
  for (const place of open.list()) if (isMeant(place.thing.exchange)) end(open, place, refusal)
}

/** INVARIANT: each of the two only grows, so that the sum moves with either. */
function stateOf({ database, identity }: WatchRooms): number {
  return database.revision() + identity.epoch()
}

function isDue({ exchange, judged, brought }: Watched, revision: number): boolean {
  return judged !== revision || brought !== (exchange.brought?.size ?? 0)
}

/** When what it rests on ends by itself. */
function endsAt({ exchange: { principal, consented } }: Watched): number {
  return Math.min(principal.credential.expiresAt, consented.until)
}

/** Judges again what is due: judged before the last change, or past the end of its credential or of a consent. */
async function judgeDue(rooms: WatchRooms, open: Open): Promise<void> {
  const revision = stateOf(rooms)
  const now = rooms.clock.now()
  const due = open.list().filter(({ thing }) => isDue(thing, revision) || endsAt(thing) <= now)
  if (due.length === 0) return
  const { policy, upstreams } = rooms
  await Promise.all([policy.refresh(), upstreams.catalog.refresh(), upstreams.bundles.refresh()])
  const judgeOne = async (place: Place<Watched>): Promise<void> => {
    // WHY: most have ended by the time it is their turn.
    if (place.at === -1) return
    place.thing.brought = place.thing.exchange.brought?.size ?? 0
    const refusal = await judge(rooms, place.thing.exchange).catch(() => refuse(gatewayRefusals.fault))
    if (refusal === undefined) place.thing.judged = revision
    else if (place.at !== -1) end(open, place, refusal)
  }
  for (let at = 0; at < due.length; at += judgedAtOnce) {
    await Promise.all(due.slice(at, at + judgedAtOnce).map(judgeOne))
  }
}

/** Cuts what lasts too long. Counted in ticks: a wall clock that jumps neither ends a call nor lets one live. */
function cutEndless(rooms: WatchRooms, { open, lives }: { open: Open; lives: StreamLives }, tick: number): void {
  const { streamSeconds } = rooms.settings.current.limits
  // WHY: the tick in which it opened was not a whole one.
  const mostTicks = 1 + (streamSeconds * 1_000) / everyMs
  for (const place of open.list()) {
    const { exchange, openedAtTick, life } = place.thing
    const over = life && lives.over(life, tick)
    if (over !== undefined) end(open, place, over)
    if (exchange.waitsForNews || tick - openedAtTick < mostTicks) continue
    end(open, place, refuse(gatewayRefusals.callTooLong, { names: { limit: String(streamSeconds) } }))
  }
}

export function createWatch(rooms: WatchRooms): Watch {
  const open: Open = new Roll<Watched>()
  const lives = createStreamLives(rooms.settings, everyMs)
  let isJudging = false
  let isDraining = false
  let tick = 0

  function onTick(): void {
    tick += 1
    if (open.size === 0) return
    cutEndless(rooms, { open, lives }, tick)
    if (isJudging) return
    isJudging = true
    judgeDue(rooms, open)
      .catch(() => endFor(open, refuse(gatewayRefusals.fault), () => true))
      .finally(() => {
        isJudging = false
      })
  }

  const timer = setInterval(onTick, everyMs).unref()
  return {
    asOf: () => stateOf(rooms),
    open(exchange, asOf) {
      if (isDraining && exchange.waitsForNews) exchange.cut(refuse(gatewayRefusals.stopping))
      // INVARIANT: what has changed since before the first guard was asked is seen by the next tick.
      const { principal, waitsForNews, use } = exchange
      const life = use && lives.begin(principal.credential.id, use, tick)
      if (!waitsForNews) lives.asked(principal.credential.id, tick)
      const place = open.enter({ exchange, judged: asOf, brought: 0, openedAtTick: tick, life })
      return () => {
        open.leave(place)
        if (life !== undefined) lives.end(life)
      }
    },
    openCount: () => open.size,
    drain() {
      isDraining = true
      endFor(open, refuse(gatewayRefusals.stopping), ({ waitsForNews }) => waitsForNews)
    },
    endAll: () => endFor(open, refuse(gatewayRefusals.stopping), () => true),
    close: () => clearInterval(timer),
  }
}
