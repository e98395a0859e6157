import { z } from 'zod'

/** A moment as it leaves the API: ISO 8601 in UTC. */
export const moment = z.iso.datetime()

export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

/** A moment that may not have come. */
export function isoTimeOrNull(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : isoTime(ms)
}

/** What people call things by. Upper bounds only: each room judges its own names and says what is wrong with them. */
export const nameText = z.string().min(1).max(200)
export const longText = z.string().max(2000)
/** A password, a code or a token as it was typed; bounded so that hashing it stays cheap. */
export const secretText = z.string().min(1).max(1024)

export const idParams = z.strictObject({ id: nameText })
export const nameParams = z.strictObject({ name: nameText })

/** An answer that has nothing to say but that it was done. */
export const done = z.object({ done: z.literal(true) })

/** Every list comes in the same wrapping. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item) })
}

/** A moment in the request, as milliseconds; it must lie in the future of `nowMs` to be of use, which rooms check. */
export const momentInput = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))

/** A switch in the query: `?all` and `?all=true` turn it on. */
export const flag = z
  .enum(['', 'true', 'false'])
  .default('false')
  .transform((text) => text !== 'false')
