/**
 * Which id did we give the upstream for the request that the client calls by its own id?
 * Stops: two clients, or one client twice, being answered with each other's results (R18).
 * Trusts: nothing: ids sent upstream are ours and never repeat in this process.
 * Fails: an unknown id has no request in flight; there is nothing to cancel.
 */
import { createHash } from 'node:crypto'
import type { Authenticated } from './guards/authenticate-caller.ts'
import type { Session } from './guards/bind-session.ts'
import type { Aim } from './guards/resolve-target.ts'

type Owner = Authenticated & Pick<Session, 'upstreamSessionId'> & Pick<Aim, 'upstream'>

export interface InFlight {
  /** A fresh id for the upstream. `done` forgets it. */
  open(owner: Owner, clientId: string | number): { upstreamId: string; done(): void }
  /** The upstream's id of the newest request in flight that the client knows under this id. */
  find(owner: Owner, clientId: unknown): string | undefined
}

function keyOf(owner: Owner, clientId: unknown): string {
  const whose = owner.upstreamSessionId ?? owner.principal.credential.id
  return createHash('sha256')
    .update(JSON.stringify([owner.upstream.name, whose, clientId]))
    .digest('base64')
}

/** @param node distinguishes processes, so that ids of two gateways never meet at one upstream */
export function createInFlight(node: string): InFlight {
  const upstreamIds = new Map<string, string[]>()
  let count = 0
  return {
    open(owner, clientId) {
      count += 1
      const upstreamId = `${node}-${count.toString(36)}`
      const key = keyOf(owner, clientId)
      upstreamIds.set(key, [...(upstreamIds.get(key) ?? []), upstreamId])
      const done = (): void => {
        const left = (upstreamIds.get(key) ?? []).filter((id) => id !== upstreamId)
        if (left.length === 0) upstreamIds.delete(key)
        else upstreamIds.set(key, left)
      }
      return { upstreamId, done }
    },
    find(owner, clientId) {
      return upstreamIds.get(keyOf(owner, clientId))?.at(-1)
    },
  }
}
