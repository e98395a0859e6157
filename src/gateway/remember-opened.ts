/**
 * Was this sealed value opened before, in the same place?
 * Stops: nothing by itself: it spares the deciphering of a session id that comes with every request of its session.
 * Trusts: the sealer: what it seals opens to the same value for ever, in one place only.
 * Fails: what is not remembered is opened; what does not open is not remembered, so nobody can fill this with inventions.
 */
import type { Sealer } from '#kernel'
import type { Opener } from './guards/bind-session.ts'

const mostRemembered = 10_000

interface Opened {
  readonly place: string
  readonly text: string
}

/** What was sealed as UTF-8 text, opened; the last ones are kept in memory. */
export function rememberOpened(sealer: Pick<Sealer, 'open'>): Opener {
  const known = new Map<string, Opened>()
  return {
    openText(sealed, place) {
      const opened = known.get(sealed)
      if (opened?.place === place) return opened.text
      const bytes = sealer.open(sealed, place)
      if (bytes === undefined) return undefined
      const text = Buffer.from(bytes).toString('utf8')
      if (known.size >= mostRemembered) known.delete(known.keys().next().value ?? '')
      known.set(sealed, { place, text })
      return text
    },
  }
}
