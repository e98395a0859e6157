/**
 * Which sign-in does this answer belong to? The one that this browser began, that nobody has answered, minutes ago.
 * Stops: an answer for another browser (login CSRF), a second use, one for another provider, one that comes too late.
 * Trusts: the database, where only one of any number of simultaneous callers takes an attempt. Fails: by knowing none.
 * @see RFC 9700, sections 4.4 and 4.7; ASVS 10.1.2, 10.2.1
 */
import { hash, randomBytes } from 'node:crypto'
import type { Parts, Query } from '../parts.ts'

const longestMs = 10 * 60_000
const handleShape = /^[A-Za-z0-9_-]{43}$/

export type Step = 'callback' | 'second-factor'

/** What an attempt is tied to. */
export interface Bound {
  readonly provider: string
  readonly step: Step
  /** The cookie of the browser that began, or the session that a proof is for. */
  readonly browser: string
}

export interface Attempts {
  /** @returns the handle, 256 random bits: shown to the browser, kept as a hash */
  begin(bound: Bound, kept: object): Promise<string>
  /** What was kept, without using it up. */
  look(handle: string, bound: Bound): Promise<unknown>
  /** What was kept; whoever asks second, from elsewhere or too late gets undefined, and so does everybody after them. */
  take(query: Query, handle: string, bound: Bound): Promise<unknown>
}

/** A secret for a cookie or an address: 256 random bits. */
export function randomHandle(): string {
  return randomBytes(32).toString('base64url')
}

/** Whether this can be such a secret. */
export function isHandle(given: string): boolean {
  return handleShape.test(given)
}

interface Row {
  readonly id_hash: string
  readonly provider: string
  readonly step: Step
  readonly browser_hash: string
  readonly sealed: string
  readonly expires_at: number
}

export function createAttempts({ database, sealer, clock }: Pick<Parts, 'database' | 'sealer' | 'clock'>): Attempts {
  const place = (idHash: string) => `provider_attempts/sealed/${idHash}`

  function open(row: Row | undefined, { provider, step, browser }: Bound): unknown {
    if (row === undefined || clock.now() >= row.expires_at) return undefined
    const isBound = row.provider === provider && row.step === step && row.browser_hash === hash('sha256', browser)
    const plain = isBound ? sealer.open(row.sealed, place(row.id_hash)) : undefined
    return plain === undefined ? undefined : JSON.parse(Buffer.from(plain).toString())
  }

  return {
    async begin({ provider, step, browser }, kept) {
      const handle = randomHandle()
      const idHash = hash('sha256', handle)
      const now = clock.now()
      await database.query.deleteFrom('provider_attempts').where('expires_at', '<=', now).execute()
      const sealed = sealer.seal(Buffer.from(JSON.stringify(kept)), place(idHash))
      const row = { id_hash: idHash, provider, step, browser_hash: hash('sha256', browser), sealed }
      await database.query
        .insertInto('provider_attempts')
        .values({ ...row, expires_at: now + longestMs })
        .execute()
      return handle
    },

    async look(handle, bound) {
      if (!isHandle(handle)) return undefined
      const found = database.query.selectFrom('provider_attempts').selectAll()
      return open(await found.where('id_hash', '=', hash('sha256', handle)).executeTakeFirst(), bound)
    },

    async take(query, handle, bound) {
      if (!isHandle(handle)) return undefined
      // INVARIANT: gone before it is judged: whoever brings it from elsewhere has used it up.
      const taken = query.deleteFrom('provider_attempts').where('id_hash', '=', hash('sha256', handle)).returningAll()
      return open(await taken.executeTakeFirst(), bound)
    },
  }
}
