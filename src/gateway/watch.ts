/**
 * Does what allowed an open exchange still hold?
 * Stops: open streams outliving a revoked token, an ended session, a suspended person, a hold, a lost role, a removed
 * server or a withdrawn approval (G9).
 * Trusts: the database's revision: any commit of any node moves it, and then every open exchange is judged again.
 * Fails: when it cannot be judged, the exchange is cut.
 */
import { type Clock, isRefusal, type Principal, refuse, type Refusal } from '#kernel'
import type { Policy } from '#policy'
import { identityRefusals } from '#identity'
import type { UpstreamRecord, Upstreams } from '#upstream'
import { decideAim } from './guards/authorize-call.ts'
import { type Pins, pinRefusal } from './guards/match-pinned-tool.ts'
import { heldRefusal } from './guards/refuse-held.ts'
import type { Aim } from './guards/resolve-target.ts'
import { gatewayRefusals } from './refusals.ts'

export interface WatchRooms {
  readonly database: { revision(): number }
  readonly identity: { stillValid(principal: Principal): boolean | Promise<boolean> }
  readonly policy: Pick<Policy, 'decide' | 'findHold' | 'refresh'> & { readonly roles: Pick<Policy['roles'], 'of'> }
  readonly upstreams: { readonly catalog: Pick<Upstreams['catalog'], 'find' | 'refresh'>; readonly pins: Pins }
  readonly clock: Clock
}

export interface OpenExchange extends Aim {
  readonly principal: Principal
  cut(refusal: Refusal): void
}

export interface Watch {
  /** Judges the exchange again whenever something changes, until the returned function is called. */
  open(exchange: OpenExchange): () => void
  readonly openCount: () => number
  close(): void
}

const everyMs = 200
const neverJudged = Number.NaN

/** Whether a server is still the one that was asked: one removed and added again under its name is another. */
function isSame(found: UpstreamRecord | undefined, asked: UpstreamRecord): boolean {
  return JSON.stringify(found) === JSON.stringify(asked)
}

async function judge(rooms: WatchRooms, exchange: OpenExchange): Promise<Refusal | undefined> {
  const { principal, upstream } = exchange
  if (principal.credential.expiresAt <= rooms.clock.now()) return refuse(identityRefusals.tokenExpired)
  if (!(await rooms.identity.stillValid(principal))) return refuse(identityRefusals.tokenInvalid)
  const held = heldRefusal(rooms.policy, exchange)
  if (held !== undefined) return held
  // WHY: the principal's roles are those of the start; a role that was taken away since counts.
  const roles = await rooms.policy.roles.of(principal.id)
  const decision = decideAim(rooms.policy, { ...principal, roles }, exchange)
  if (isRefusal(decision)) return decision
  if (isSame(rooms.upstreams.catalog.find(upstream.name), upstream)) return pinRefusal(rooms.upstreams.pins, exchange)
  return refuse(gatewayRefusals.serverUnknown, { names: { server: upstream.name }, detail: { isKnown: false } })
}

export function createWatch(rooms: WatchRooms): Watch {
  // INVARIANT: holds the revision at which each was last judged; one that was judged before a change is due again.
  const open = new Map<OpenExchange, number>()
  let isJudging = false

  async function look(): Promise<void> {
    const revision = rooms.database.revision()
    const now = rooms.clock.now()
    const due = [...open].filter(
      ([{ principal }, judged]) => judged !== revision || principal.credential.expiresAt <= now,
    )
    if (due.length === 0) return
    await rooms.policy.refresh()
    await rooms.upstreams.catalog.refresh()
    for (const [exchange] of due) {
      const refusal = await judge(rooms, exchange).catch(() => refuse(gatewayRefusals.fault))
      if (!open.has(exchange)) continue
      if (refusal === undefined) {
        open.set(exchange, revision)
        continue
      }
      open.delete(exchange)
      exchange.cut(refusal)
    }
  }

  function tick(): void {
    if (isJudging || open.size === 0) return
    isJudging = true
    look()
      .catch(() => {
        for (const exchange of open.keys()) exchange.cut(refuse(gatewayRefusals.fault))
        open.clear()
      })
      .finally(() => {
        isJudging = false
      })
  }

  const timer = setInterval(tick, everyMs).unref()
  return {
    open(exchange) {
      // INVARIANT: what changed between the guards and now is seen by the next tick, whatever the revision says.
      open.set(exchange, neverJudged)
      return () => {
        open.delete(exchange)
      }
    },
    openCount: () => open.size,
    close: () => clearInterval(timer),
  }
}
