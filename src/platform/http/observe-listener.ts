import type { Misuse } from '#kernel'
import { defineMetric, type Log, type Meter } from '#platform/telemetry'
import type { TurnedAway } from './listener.ts'

export const openConnections = defineMetric({
  name: 'castellan.connections',
  kind: 'gauge',
  unit: '1',
  says: 'open connections, in the handshake of TLS or past it',
  labels: ['listener'],
})

export const turnedAwayCount = defineMetric({
  name: 'castellan.turned_away',
  kind: 'counter',
  unit: '1',
  says: 'clients that were turned away before their request was handed over',
  labels: ['listener', 'reason'],
})

export const certificateExpiry = defineMetric({
  name: 'castellan.cert_expiry_timestamp',
  kind: 'gauge',
  unit: 's',
  says: 'when the certificate in use ends, since the epoch',
  labels: ['name'],
})

const lookEveryMs = 1_000
const tellEveryMs = 10_000
const dayMs = 86_400_000
const soonMs = 14 * dayMs

interface Observed {
  connectionCount(): number
  tlsExpiresAt(): number | undefined
}

export interface ListenerObserver {
  onTurnedAway(turnedAway: TurnedAway): void
  onTlsProblem(problem: Misuse): void
  /** Begins to tell how the listener is. */
  watch(listener: Observed): void
  close(): void
}

interface Told {
  count: number
  address: string
}

/** Counts who is turned away and logs it, however many they are, in a few lines; tells of certificates that end. */
export function observeListener(listener: string, { log, meter }: { log: Log; meter: Meter }): ListenerObserver {
  const counts = meter.counter(turnedAwayCount)
  const connections = meter.gauge(openConnections).with({ listener })
  const untold = new Map<TurnedAway['reason'], Told>()
  let observed: Observed | undefined
  let expiryToldAt = 0

  function tellTurnedAway(): void {
    for (const [reason, { count, address }] of untold) {
      log.warn('http.turned-away', 'clients were turned away at the door', { listener, reason, count, address })
    }
    untold.clear()
  }

  function tellExpiry(): void {
    const expiresAt = observed?.tlsExpiresAt()
    const now = Date.now()
    if (expiresAt === undefined || expiresAt - now > soonMs || now - expiryToldAt < dayMs) return
    expiryToldAt = now
    const at = new Date(expiresAt).toISOString()
    log.warn('http.certificate-ends', 'the certificate in use ends soon', { listener, at })
  }

  function look(): void {
    connections.set(observed?.connectionCount() ?? 0)
    const expiresAt = observed?.tlsExpiresAt()
    if (expiresAt !== undefined)
      meter
        .gauge(certificateExpiry)
        .with({ name: listener })
        .set(expiresAt / 1_000)
  }

  const looking = setInterval(look, lookEveryMs).unref()
  const telling = setInterval(() => {
    tellTurnedAway()
    tellExpiry()
  }, tellEveryMs).unref()
  return {
    onTurnedAway({ reason, address }) {
      counts.with({ listener, reason }).add()
      const told = untold.get(reason)
      if (told === undefined) untold.set(reason, { count: 1, address })
      else Object.assign(told, { count: told.count + 1, address })
    },
    onTlsProblem: ({ code, message }) => log.error(code, message, { listener }),
    watch(begun) {
      observed = begun
      tellExpiry()
      look()
    },
    close() {
      clearInterval(looking)
      clearInterval(telling)
      connections.set(0)
      tellTurnedAway()
    },
  }
}
