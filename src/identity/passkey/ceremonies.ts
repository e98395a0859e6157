/**
 * Was this challenge given to this browser, for this purpose and person, a moment ago, and never used?
 * Stops replay, also by two at once on two nodes; an answer that somebody else was asked for; and tables that strangers
 * fill: what was asked is sealed and carried by the client, and only what is used up is written.
 * Trusts the sealer, the database and the server's clock. Fails closed: whatever does not hold is one refusal.
 * @see Web Authentication Level 3, section 13.4.3; ASVS 6.7.2
 */
import { hash, randomBytes } from 'node:crypto'
import { type Principal, type Refusal, isRefusal, refuse } from '#kernel'
import * as z from 'zod'
import type { Parts } from '../parts.ts'
import { refusals } from '../refusals.ts'

const challengeBytes = 32
/** How long a person may take. */
export const ceremonyMs = 5 * 60_000
const dayMs = 86_400_000
const place = 'passkeys/ceremony'

const contentSchema = z.strictObject({
  purpose: z.enum(['sign-in', 'proof', 'registration', 'recovery', 'authenticator']),
  challenge: z.string(),
  /** Of the browser or session that asked. */
  binding: z.string(),
  personId: z.string().optional(),
  sessionId: z.string().optional(),
  expiresAt: z.number(),
})

export type Content = z.infer<typeof contentSchema>

export interface Opened {
  /** Base64url of 256 random bits. */
  readonly challenge: string
  /** Sealed: to be sent back together with the answer. */
  readonly state: string
}

/** Who has to be asked for and has to answer. */
export type Subject = Pick<Content, 'purpose' | 'binding' | 'personId' | 'sessionId'>

/** The subject of a ceremony of a signed-in person. */
export function subjectOf(
  purpose: Content['purpose'],
  { principal, binding }: { readonly principal: Principal; readonly binding: string },
): Subject {
  return { purpose, binding, personId: principal.id, sessionId: principal.credential.id }
}

export interface Ceremonies {
  open(subject: Subject): Opened
  /** The challenge of a state that holds, without using it up. */
  look(state: string, subject: Subject): { readonly challenge: string } | Refusal
  /**
   * Uses the challenge up, whatever becomes of the answer.
   * @returns the challenge
   */
  spend(state: string, subject: Subject): Promise<{ readonly challenge: string } | Refusal>
}

function no(reason: string): Refusal {
  return refuse(refusals.passkeyRefused, { detail: { reason } })
}

export function createCeremonies({
  database,
  clock,
  sealer,
}: Pick<Parts, 'database' | 'clock' | 'sealer'>): Ceremonies {
  let spent = 0

  function read(state: string): Content | undefined {
    const plain = sealer.open(state, place)
    if (plain === undefined) return undefined
    const content = contentSchema.safeParse(JSON.parse(Buffer.from(plain).toString()))
    return content.success ? content.data : undefined
  }

  function look(state: string, subject: Subject): { readonly challenge: string } | Refusal {
    const content = read(state)
    if (content === undefined) return no('challenge-unknown')
    if (clock.now() >= content.expiresAt) return no('challenge-expired')
    if (content.purpose !== subject.purpose) return no('challenge-for-another-purpose')
    if (content.binding !== subject.binding) return no('challenge-of-another-browser')
    const isSame = content.personId === subject.personId && content.sessionId === subject.sessionId
    return isSame ? { challenge: content.challenge } : no('challenge-of-another-person')
  }

  async function use(challenge: string): Promise<boolean> {
    const now = clock.now()
    const row = { challenge_hash: hash('sha256', challenge), spent_at: now }
    if (spent++ % 64 === 0) {
      // INVARIANT: a row outlives the state it stands against by far, also with the clocks of two nodes apart.
      await database.query
        .deleteFrom('spent_challenges')
        .where('spent_at', '<', now - dayMs)
        .execute()
    }
    const inserted = await database.query
      .insertInto('spent_challenges')
      .values(row)
      .onConflict((conflict) => conflict.column('challenge_hash').doNothing())
      .executeTakeFirst()
    return inserted.numInsertedOrUpdatedRows === 1n
  }

  return {
    open(subject) {
      const challenge = randomBytes(challengeBytes).toString('base64url')
      const content: Content = { ...subject, challenge, expiresAt: clock.now() + ceremonyMs }
      return { challenge, state: sealer.seal(Buffer.from(JSON.stringify(content)), place) }
    },

    look,

    async spend(state, subject) {
      const found = look(state, subject)
      if (isRefusal(found)) return found
      return (await use(found.challenge)) ? found : no('challenge-used')
    },
  }
}
