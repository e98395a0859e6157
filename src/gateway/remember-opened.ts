/**
 * Was this sealed value opened before, in the same place?
 * Stops: nothing by itself: it spares the deciphering of a session id that comes with every request of its session.
 * Trusts: the sealer: what it seals opens to the same value for ever, in one place only.
 * Fails: what is not remembered is opened; what does not open is not remembered, so nobody can fill this with inventions.
 */
import type { Sealer } from '#kernel'

const mostRemembered = 10_000

interface Opened {
  readonly place: string
  readonly value: Uint8Array
}

/** The sealer, with what it opened last kept in memory. What it returns is shared: not to be changed. */
export function rememberOpened(sealer: Sealer): Sealer {
  const known = new Map<string, Opened>()
  return {
    seal: (plain, place) => sealer.seal(plain, place),
    open(sealed, place) {
      const opened = known.get(sealed)
      if (opened?.place === place) return opened.value
      const value = sealer.open(sealed, place)
      if (value === undefined) return undefined
      if (known.size >= mostRemembered) known.delete(known.keys().next().value ?? '')
      known.set(sealed, { place, value })
      return value
    },
  }
}
