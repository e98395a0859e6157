import { Fault, refuse, type Principal, type Refusal } from '#kernel'
import { adminFaulted, adminRefused } from './events.ts'
import { refusals } from './refusals.ts'
import type { Rooms } from './rooms.ts'

/** One request, as the ledger names it. */
export interface Occasion {
  readonly requestId: string
  readonly address: string
  readonly method: string
  readonly path: string
}

const storeRetrySeconds = 5
const maxPathChars = 200

function details(occasion: Occasion): Record<string, unknown> {
  return { method: occasion.method, path: occasion.path.slice(0, maxPathChars) }
}

/**
 * Records a refusal before it is answered.
 * @returns what to answer: the refusal, or `admin.ledger-unavailable` when it could not be recorded
 */
export async function recordRefusal(
  rooms: Pick<Rooms, 'ledger'>,
  occasion: Occasion,
  refusal: Refusal,
  principal?: Principal,
): Promise<Refusal> {
  try {
    await rooms.ledger.append(adminRefused, {
      exchange: occasion.requestId,
      address: occasion.address,
      outcome: 'refused',
      refusal: refusal.code,
      ...(principal === undefined ? {} : { principal }),
      details: { ...details(occasion), ...refusal.detail },
    })
    return refusal
  } catch {
    return refuse(refusals.ledgerUnavailable, { retryAfterSeconds: storeRetrySeconds })
  }
}

/**
 * Records something that broke. The caller learns the request id and nothing else.
 * @returns what to answer
 */
export async function recordFault(rooms: Rooms, occasion: Occasion, error: unknown): Promise<Refusal> {
  if (error instanceof Fault && error.code === 'audit.ledger-unavailable')
    return refuse(refusals.ledgerUnavailable, { retryAfterSeconds: storeRetrySeconds })
  rooms.telemetry.log.error('admin.faulted', 'a request to the admin API broke something', {
    request_id: occasion.requestId,
    error,
  })
  const cause = error instanceof Error ? { error: error.name, message: error.message } : { error: typeof error }
  try {
    await rooms.ledger.append(adminFaulted, {
      exchange: occasion.requestId,
      address: occasion.address,
      outcome: 'failed',
      details: { ...details(occasion), ...cause, ...(error instanceof Fault ? { code: error.code } : {}) },
    })
  } catch {
    // INVARIANT: the caller is told of a fault either way; readiness reports the ledger.
  }
  if (!(error instanceof Fault) || !error.code.startsWith('database.')) return refuse(refusals.fault)
  return refuse(refusals.databaseUnavailable, { retryAfterSeconds: storeRetrySeconds })
}
