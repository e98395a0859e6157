import type { Socket } from 'node:net'
import { isLoopbackAddress, sourceOf } from './addresses.ts'
import type { Ceilings } from './listener-ceilings.ts'

/** A connection that has asked nothing for so long may be closed to make room for another. */
const silentMs = 1_000

interface Place {
  readonly socket: Socket
  readonly peer: string
  readonly source: string
  readonly since: number
  /** Past the handshake of TLS, if there is one. */
  speaks: boolean
}

/** The connections of a listener, from the moment they are accepted. */
export interface Places {
  /** Gives a connection its place, or closes it. */
  admit(raw: Socket): void
  /** The peer of this socket is past the handshake of TLS, if there is one. */
  markSpeaking(socket: Socket): void
  /** The peer of this socket has asked something. */
  markUseful(socket: Socket): void
  /** Ends those that have not said anything yet. */
  endSilent(): void
  endAll(): void
  count(): number
}

export interface PlacesOptions {
  readonly ceilings: { readonly current: Ceilings }
  /** Addresses that stand for many clients, such as a proxy's. */
  readonly isShared: (address: string) => boolean
  /** Ends the connection that has been idle longest. @returns whether there was one */
  readonly endIdlest: () => boolean
  readonly turnedAway: (reason: 'too-many-connections', address: string) => void
}

/** The same for a connection and for the one that TLS puts on top of it. */
function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}

/** Keeps the number of connections within their ceilings, in all and for each source. */
export function trackPlaces({ ceilings, isShared, endIdlest, turnedAway }: PlacesOptions): Places {
  const places = new Map<string, Place>()
  // INVARIANT: those that have asked nothing, in the order of connecting.
  const silent = new Set<Place>()
  const bySource = new Map<string, number>()

  function makeRoom(): boolean {
    const [oldest] = silent
    if (oldest === undefined || performance.now() - oldest.since < silentMs) return endIdlest()
    silent.delete(oldest)
    oldest.socket.destroy()
    return true
  }

  function hasRoomFor(source: string, address: string): boolean {
    const { maxConnections, maxConnectionsPerAddress } = ceilings.current
    if ((bySource.get(source) ?? 0) >= maxConnectionsPerAddress && !isShared(address)) return false
    return places.size < maxConnections || makeRoom()
  }

  function leave(place: Place): void {
    places.delete(place.peer)
    silent.delete(place)
    const left = (bySource.get(place.source) ?? 1) - 1
    if (left === 0) bySource.delete(place.source)
    else bySource.set(place.source, left)
  }

  return {
    admit(socket) {
      const address = socket.remoteAddress
      // WHY: a client that has left already has no address.
      if (address === undefined) return void socket.destroy()
      const source = isLoopbackAddress(address) ? 'loopback' : sourceOf(address)
      if (!hasRoomFor(source, address)) {
        turnedAway('too-many-connections', address)
        return void socket.resetAndDestroy()
      }
      const place: Place = { socket, peer: peerOf(socket), source, since: performance.now(), speaks: false }
      places.set(place.peer, place)
      silent.add(place)
      bySource.set(source, (bySource.get(source) ?? 0) + 1)
      socket.once('close', () => leave(place))
    },
    markSpeaking(socket) {
      const place = places.get(peerOf(socket))
      if (place !== undefined) place.speaks = true
    },
    markUseful(socket) {
      const place = places.get(peerOf(socket))
      if (place !== undefined) silent.delete(place)
    },
    endSilent: () => places.forEach(({ socket, speaks }) => !speaks && socket.bytesRead === 0 && socket.destroy()),
    endAll: () => places.forEach(({ socket }) => socket.destroy()),
    count: () => places.size,
  }
}
