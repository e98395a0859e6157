/**
 * Which event streams of 2024-11-05 are open, and whose are they?
 * Stops: posting to another person's stream, to one of another server, or to one that is over.
 * Trusts: the sealer: where messages are posted is a sealed value that opens for one person and server only.
 * Fails: what does not open, or is over, never was.
 */
import { randomBytes } from 'node:crypto'
import type { Principal, Sealer } from '#kernel'
import type { Upstreams } from '#upstream'
import { Ending } from '../ending.ts'
import { openSession } from '../guards/bind-session.ts'
import { rememberOpened } from '../remember-opened.ts'
import { type Belonging, Channel } from './channel.ts'

export interface Channels {
  /** @returns the stream, and where its messages are posted */
  open(belongs: Belonging): { channel: Channel; endpoint: string }
  /** The stream of this person at this server that goes by the sealed name. */
  find(serverName: string, principal: Principal, sealed: string): Channel | undefined
  /** Takes over the session that a handshake opened; one before it ends. */
  adopt(channel: Channel, sessionId: string): void
}

/** How long a server has to end a session. */
const endDeadlineMs = 10_000

export function createChannels({
  sealer,
  upstreams,
}: {
  readonly sealer: Sealer
  readonly upstreams: Pick<Upstreams, 'exchange'>
}): Channels {
  const channels = new Map<string, Channel>()
  const opener = rememberOpened(sealer)
  const placeOf = (serverName: string, { id }: Principal): string => `mcp-channel/${serverName}/${id}`

  async function endSession({ belongs }: Channel, sealed: string): Promise<void> {
    const opened = openSession(opener, belongs, sealed)
    if (opened === undefined) return
    const { upstream, principal } = belongs
    await upstreams.exchange({
      upstream,
      ownerId: principal.id,
      era: 'legacy',
      httpMethod: 'DELETE',
      sessionId: opened.upstreamId,
      headers: {},
      signal: new Ending(),
      deadlineMs: endDeadlineMs,
    })
  }

  function endSoon(channel: Channel): void {
    // WHY: a server that cannot be told ends the session by itself, when it was idle for long.
    if (channel.sessionId !== undefined) void endSession(channel, channel.sessionId).catch(() => undefined)
  }

  return {
    open(belongs) {
      const { serverName, principal } = belongs
      const id = randomBytes(32).toString('base64url')
      const channel = new Channel(belongs)
      channels.set(id, channel)
      channel.over.addEventListener('abort', () => {
        channels.delete(id)
        endSoon(channel)
      })
      const sealed = sealer.seal(Buffer.from(id), placeOf(serverName, principal))
      return { channel, endpoint: `/servers/${serverName}/messages?channel=${sealed}` }
    },
    find(serverName, principal, sealed) {
      const id = opener.openText(sealed, placeOf(serverName, principal))
      return id === undefined ? undefined : channels.get(id)
    },
    adopt(channel, sessionId) {
      endSoon(channel)
      channel.sessionId = sessionId
      if (channel.over.aborted) endSoon(channel)
    },
  }
}
