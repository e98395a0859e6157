import { Fault } from '#kernel'

const retryAfterSeconds = 2

/** The database did not answer, or could not keep what it was given: nobody can tell what holds, so nothing is allowed. */
export function unavailable(cause: unknown): Fault {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new Fault('database.unavailable', `the database cannot be used: ${reason}`, { cause, retryAfterSeconds })
}
