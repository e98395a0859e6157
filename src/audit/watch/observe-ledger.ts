/**
 * Does the ledger keep up, and does anybody hear when it does not?
 * Stops: an outage that is seen only by those whose calls it refuses.
 * Trusts: the ledger's own state.
 * Fails: never; what is told about the ledger is not the ledger.
 */
import { defineMetric, type Log, type Meter } from '#platform/telemetry'
import type { Ledger } from '../ledger.ts'

export const auditEntries = defineMetric({
  name: 'castellan.audit_entries',
  kind: 'counter',
  unit: '1',
  says: 'durable entries of the ledger, since it was begun',
  labels: [],
})

export const auditWritable = defineMetric({
  name: 'castellan.audit_writable',
  kind: 'gauge',
  unit: '1',
  says: '1 while the ledger can be written, 0 while calls are refused because it cannot',
  labels: [],
})

export const auditWrites = defineMetric({
  name: 'castellan.audit_write',
  kind: 'histogram',
  unit: 's',
  says: 'time until a batch of entries was flushed to disk',
  labels: [],
  bounds: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
})

const lookEveryMs = 500

/** Counts entries and logs outages. @returns how to stop watching */
export function observeLedger(ledger: Pick<Ledger, 'state'>, { meter, log }: { meter: Meter; log: Log }): () => void {
  meter.observe(auditEntries, () => [[{}, ledger.state().size]])
  meter.observe(auditWritable, () => [[{}, ledger.state().isWritable ? 1 : 0]])
  let wasWritable = true
  const timer = setInterval(() => {
    const { isWritable, reason, size } = ledger.state()
    if (isWritable === wasWritable) return
    wasWritable = isWritable
    if (isWritable) log.warn('ledger.recovered', 'the ledger can be written again', { size })
    else log.error('ledger.lost', 'the ledger cannot be written; calls are refused until it can', { reason, size })
  }, lookEveryMs).unref()
  return () => clearInterval(timer)
}
