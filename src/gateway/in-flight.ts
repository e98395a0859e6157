/**
 * Which id did we give the upstream for the request that the client calls by its own id?
 * Stops: two clients, or one client twice, being answered with each other's results (R18).
 * Trusts: nothing: ids sent upstream are ours and never repeat in this process.
 * Fails: an unknown id has no request in flight; there is nothing to cancel, and a response to it is withheld.
 */
import { isRefusal, type Place, refuse, Roll } from '#kernel'
import type { Policy } from '#policy'
import { circumstancesAfter } from './flow/circumstances.ts'
import type { Ending } from './ending.ts'
import type { Authenticated } from './guards/authenticate-caller.ts'
import { decideAim } from './guards/authorize-call.ts'
import type { Session } from './guards/bind-session.ts'
import { type Pins, pinRefusal } from './guards/match-pinned-tool.ts'
import { heldRefusal } from './guards/refuse-held.ts'
import type { Aim } from './guards/resolve-target.ts'
import { gatewayRefusals } from './refusals.ts'

type Owner = Authenticated & Pick<Session, 'upstreamSessionId'> & Pick<Aim, 'upstream'>

/** A request whose stream broke off; its response may come on the stream that its owner resumes. */
export interface Parked {
  readonly clientId: string | number
  readonly aim: Aim
}

export interface Opened {
  /** Fresh: never used before. */
  readonly upstreamId: string
  /** Forgets the request, or keeps it for a while when its response may still come on a resumed stream. */
  done(mayResume: boolean): void
}

interface Cuttable {
  readonly cut?: Ending | undefined
}

export interface InFlight {
  open(owner: Owner & Aim & Cuttable, clientId: string | number): Opened
  /** The upstream's id of the newest request in flight that the client knows under this id. */
  find(owner: Owner, clientId: unknown): string | undefined
  /** Ends a request that was cancelled, should its upstream not do so in time. */
  endSoon(upstreamId: string): void
  /** The parked request of this very owner and session that the upstream knows under this id. */
  parked(owner: Owner, upstreamId: string | number): Parked | undefined
}

const maxParked = 10_000
/** How long a server may take to end what its caller cancelled. */
const cancelGraceMs = 5_000

interface Request extends Parked, Cuttable {
  readonly owner: Owner
  readonly upstreamId: string
  /** Higher for newer ones. */
  readonly number: number
}

/** Requests of one owner are told apart by the type of their id, too: `1` is not `"1"`. */
function isOf(request: Request, owner: Owner, clientId: unknown): boolean {
  const { principal, upstream, upstreamSessionId } = request.owner
  if (request.clientId !== clientId || upstream.name !== owner.upstream.name) return false
  if (principal.id !== owner.principal.id || upstreamSessionId !== owner.upstreamSessionId) return false
  return upstreamSessionId !== undefined || principal.credential.id === owner.principal.credential.id
}

/** Without all else that is known of the exchange, which is over. */
function slim({ owner, aim, cut: _over, ...request }: Request): Request {
  const { principal, upstream, upstreamSessionId } = owner
  const { target, permission, alsoNeeded } = aim
  // WHY: what the call was given is not kept as long as its answer is waited for.
  const circumstances = circumstancesAfter(aim.circumstances)
  const kept = { upstream, target, permission, alsoNeeded, circumstances, wasCalled: true } as const
  return { ...request, owner: { principal, upstream, upstreamSessionId }, aim: kept }
}

/** @param node distinguishes processes, so that ids of two gateways never meet at one upstream */
export function createInFlight(node: string): InFlight {
  // WHY: a roll, because cancellations are rare: looking through it then is cheaper than an index kept for each call.
  const open = new Roll<Request>()
  const parked = new Map<string, Place<Request>>()
  let count = 0

  function park(request: Request): void {
    parked.set(request.upstreamId, open.enter(slim(request)))
    const [oldest] = parked.size > maxParked ? parked : []
    if (oldest === undefined) return
    parked.delete(oldest[0])
    open.leave(oldest[1])
  }

  return {
    open(owner, clientId) {
      count += 1
      const { cut } = owner
      const request = { owner, aim: owner, cut, clientId, upstreamId: `${node}-${count.toString(36)}`, number: count }
      const place = open.enter(request)
      return {
        upstreamId: request.upstreamId,
        done(mayResume) {
          open.leave(place)
          if (mayResume) park(request)
        },
      }
    },
    find(owner, clientId) {
      const found = open.list().filter(({ thing }) => isOf(thing, owner, clientId))
      return found.toSorted((one, other) => other.thing.number - one.thing.number)[0]?.thing.upstreamId
    },
    endSoon(upstreamId) {
      // WHY: a server that goes on all the same would keep the place and the connection that the caller gave up.
      const end = (): void => {
        const found = open.list().find(({ thing }) => thing.upstreamId === upstreamId)
        found?.thing.cut?.end(refuse(gatewayRefusals.cancelled))
      }
      setTimeout(end, cancelGraceMs).unref()
    },
    parked(owner, upstreamId) {
      const request = parked.get(String(upstreamId))?.thing
      return request !== undefined && isOf(request, owner, request.clientId) ? request : undefined
    },
  }
}

interface Judges {
  readonly inFlight: Pick<InFlight, 'parked'>
  readonly policy: Pick<Policy, 'decide' | 'findHold'>
  readonly pins: Pins
}

/** A request whose response comes on a stream that its owner resumed; undefined unless it may still be asked. */
export function resumedRequest(
  owner: Owner & { readonly httpMethod: string },
  { inFlight, policy, pins }: Judges,
  upstreamId: string | number,
): Parked | undefined {
  const parked = owner.httpMethod === 'GET' ? inFlight.parked(owner, upstreamId) : undefined
  if (parked === undefined) return undefined
  const { principal } = owner
  if (isRefusal(decideAim(policy, principal, parked.aim))) return undefined
  if (heldRefusal(policy, { principal, ...parked.aim }) !== undefined) return undefined
  return pinRefusal(pins, parked.aim) === undefined ? parked : undefined
}
