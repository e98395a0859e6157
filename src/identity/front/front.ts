/**
 * What do browsers and OAuth clients meet beside MCP? Finds who answers a path: pages, the authorization server, sign-in.
 * Stops: two answers for one path.
 * Trusts: the gateway's doorway, which admits address, Host and Origin and counts requests before anything here is asked.
 * Fails: a path that nobody answers is the gateway's to refuse; a failure is the gateway's last resort.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Who came, as the gateway found it. */
export interface Visit {
  /** The canonical path that was asked for, without the query. */
  readonly path: string
  readonly exchangeId: string
  /** Of the client, behind trusted proxies. */
  readonly address: string
}

/** One part of what is answered. */
export interface Mount {
  owns(path: string): boolean
  /** Answers the whole request. Rejects only when something broke. */
  answer(req: IncomingMessage, res: ServerResponse, visit: Visit): Promise<void>
}

/** Puts parts together; the first that owns a path answers it. */
export function createFront(mounts: readonly Mount[]): Mount {
  const owner = (path: string): Mount | undefined => mounts.find((mount) => mount.owns(path))
  return {
    owns: (path) => owner(path) !== undefined,
    async answer(req, res, visit) {
      await owner(visit.path)?.answer(req, res, visit)
    },
  }
}
