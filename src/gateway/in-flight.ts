/**
 * Which id did we give the upstream for the request that the client calls by its own id?
 * Stops: two clients, or one client twice, being answered with each other's results (R18).
 * Trusts: nothing: ids sent upstream are ours and never repeat in this process.
 * Fails: an unknown id has no request in flight; there is nothing to cancel, and a response to it is withheld.
 */
import type { Authenticated } from './guards/authenticate-caller.ts'
import type { Session } from './guards/bind-session.ts'
import type { Aim } from './guards/resolve-target.ts'

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

export interface InFlight {
  open(owner: Owner & Aim, clientId: string | number): Opened
  /** The upstream's id of the newest request in flight that the client knows under this id. */
  find(owner: Owner, clientId: unknown): string | undefined
  /** The parked request of this very owner and session that the upstream knows under this id. */
  parked(owner: Owner, upstreamId: string | number): Parked | undefined
}

const maxParked = 10_000

/** Requests of one owner are told apart by the type of their id, too: `1` is not `"1"`. */
function keyOf({ upstream, upstreamSessionId, principal }: Owner, clientId: unknown): string {
  const whose = upstreamSessionId ?? principal.credential.id
  return `${upstream.name}\n${principal.id}\n${whose}\n${JSON.stringify(clientId)}`
}

/** @param node distinguishes processes, so that ids of two gateways never meet at one upstream */
export function createInFlight(node: string): InFlight {
  const open = new Map<string, string[]>()
  const parked = new Map<string, Parked & { readonly key: string }>()
  let count = 0

  function forget(key: string, upstreamId: string): void {
    const ids = open.get(key)
    if (ids === undefined) return
    if (ids.length === 1 && ids[0] === upstreamId) open.delete(key)
    else ids.splice(ids.indexOf(upstreamId), ids.includes(upstreamId) ? 1 : 0)
  }

  function park(upstreamId: string, request: Parked & { readonly key: string }): void {
    parked.set(upstreamId, request)
    const [oldest] = parked.size > maxParked ? parked : []
    if (oldest === undefined) return
    parked.delete(oldest[0])
    forget(oldest[1].key, oldest[0])
  }

  return {
    open(owner, clientId) {
      count += 1
      const upstreamId = `${node}-${count.toString(36)}`
      const key = keyOf(owner, clientId)
      const ids = open.get(key)
      if (ids === undefined) open.set(key, [upstreamId])
      else ids.push(upstreamId)
      return {
        upstreamId,
        done(mayResume) {
          if (!mayResume) return forget(key, upstreamId)
          const { upstream, target, permission, subscriptions } = owner
          park(upstreamId, { key, clientId, aim: { upstream, target, permission, subscriptions } })
        },
      }
    },
    find(owner, clientId) {
      return open.get(keyOf(owner, clientId))?.at(-1)
    },
    parked(owner, upstreamId) {
      const request = parked.get(String(upstreamId))
      return request?.key === keyOf(owner, request?.clientId) ? request : undefined
    },
  }
}
