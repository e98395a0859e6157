import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Ceilings } from './listener-ceilings.ts'
import { type Places, trackPlaces } from './listener-places.ts'

const longestSweepMs = 5_000
const shortestSweepMs = 50

/** A connection that speaks HTTP, after the handshake of TLS if there is one. */
export interface Connection {
  readonly socket: Socket
  /** Requests that are handed over and not answered to their end. */
  open: number
  /** Requests that were handed over in all. */
  served: number
  /** The answer to the newest of them, while it is open. */
  newest: ServerResponse | undefined
  /** Whatever comes after the newest answer is not read. */
  isEnding: boolean
  idleMs: number
  /** Bytes that the client had not taken when they were last looked at, and for how long they have not changed. */
  waitingBytes: number
  stalledMs: number
}

/** The connections of a listener: how many there may be, and how long one may do nothing. */
export interface Connections extends Pick<Places, 'admit' | 'endAll' | 'count'> {
  /** A connection that was admitted begins to speak HTTP. */
  begin(socket: Socket): void
  find(socket: Socket): Connection | undefined
  /** To be called when the first of its requests opens, and when the last ended. */
  busy(connection: Connection): void
  idle(connection: Connection): void
  speaking(): Iterable<Connection>
  /** Ends those that have said nothing yet, whether they speak HTTP or not. */
  endSilent(): void
  /** Looks after nothing any more. */
  close(): void
}

export interface ConnectionsOptions {
  readonly ceilings: { readonly current: Ceilings }
  readonly isShared: (address: string) => boolean
  readonly turnedAway: (reason: 'too-many-connections' | 'too-slow', address: string | undefined) => void
}

/** Bytes that the client does not take are waited for as long as they would need at the least rate, and a stall more. */
function isTooSlow(connection: Connection, { stallTimeoutMs, minBytesPerSecond }: Ceilings): boolean {
  return connection.stalledMs > stallTimeoutMs + (connection.waitingBytes / minBytesPerSecond) * 1_000
}

/** Node counts any bytes as a sign of life, also the line feeds before a request that it passes over. */
function isIdleTooLong(connection: Connection, { keepAliveTimeoutMs, headersTimeoutMs }: Ceilings): boolean {
  return connection.idleMs > keepAliveTimeoutMs + headersTimeoutMs + 1_000
}

/** Brings up to date what a connection has not done. @returns whether that was too much */
function age(connection: Connection, passedMs: number, ceilings: Ceilings): boolean {
  const bytes = connection.socket.writableLength
  connection.stalledMs = bytes > 0 && bytes === connection.waitingBytes ? connection.stalledMs + passedMs : 0
  connection.waitingBytes = bytes
  connection.idleMs = connection.open === 0 ? connection.idleMs + passedMs : 0
  return isTooSlow(connection, ceilings) || isIdleTooLong(connection, ceilings)
}

function fresh(socket: Socket): Connection {
  return {
    socket,
    open: 0,
    served: 0,
    newest: undefined,
    isEnding: false,
    idleMs: 0,
    waitingBytes: 0,
    stalledMs: 0,
  }
}

function sweepMs({ stallTimeoutMs, keepAliveTimeoutMs }: Ceilings): number {
  return Math.max(shortestSweepMs, Math.min(longestSweepMs, stallTimeoutMs / 4, keepAliveTimeoutMs / 4))
}

export function trackConnections({ ceilings, isShared, turnedAway }: ConnectionsOptions): Connections {
  const speaking = new Map<Socket, Connection>()
  // INVARIANT: those without an open request that have had one, in the order of their last answer.
  const resting = new Set<Connection>()

  function endIdlest(): boolean {
    const [idlest] = resting
    if (idlest === undefined) return false
    resting.delete(idlest)
    idlest.socket.destroy()
    return true
  }

  const places = trackPlaces({ ceilings, isShared, endIdlest, turnedAway })
  const everyMs = sweepMs(ceilings.current)
  const timer = setInterval(() => {
    for (const connection of speaking.values()) {
      if (!age(connection, everyMs, ceilings.current)) continue
      turnedAway('too-slow', connection.socket.remoteAddress)
      connection.socket.destroy()
    }
  }, everyMs).unref()

  return {
    ...places,
    begin(socket) {
      if (socket.destroyed) return
      const connection = fresh(socket)
      speaking.set(socket, connection)
      places.markSpeaking(socket)
      socket.once('close', () => {
        speaking.delete(socket)
        resting.delete(connection)
      })
    },
    find: (socket) => speaking.get(socket),
    busy(connection) {
      if (connection.served === 0) places.markUseful(connection.socket)
      else resting.delete(connection)
    },
    idle(connection) {
      connection.idleMs = 0
      if (!connection.socket.destroyed) resting.add(connection)
    },
    speaking: () => speaking.values(),
    endSilent() {
      for (const { socket } of speaking.values()) if (socket.bytesRead === 0) socket.destroy()
      places.endSilent()
    },
    close: () => clearInterval(timer),
  }
}
