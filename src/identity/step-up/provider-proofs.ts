/**
 * Did this person sign in anew at their provider, for this session? What it said is kept for minutes and counts once.
 * Stops: a proof of another session or person, a second use, one whose account was unlinked or signed out meanwhile.
 * Trusts: the attempts of federation, of which each is taken once. Fails: by knowing none.
 */
import type { Principal } from '#kernel'
import { z } from 'zod'
import { whyNot } from '../federation/admit.ts'
import { createAttempts } from '../federation/attempts.ts'
import type { Parts, Query } from '../parts.ts'

const kept = z.strictObject({
  personId: z.string(),
  issuer: z.string(),
  subject: z.string(),
  sid: z.string().optional(),
  issuedAt: z.number(),
  hasSecondFactor: z.boolean(),
  provedAt: z.number(),
})

type Said = Omit<z.infer<typeof kept>, 'personId' | 'provedAt'>

export interface ProviderProofs {
  /** @returns what a form of that session proves with */
  keep(provider: string, by: { readonly personId: string; readonly sessionId: string }, said: Said): Promise<string>
  /** What the provider said; whoever asks second, or for somebody else, gets undefined. */
  take(
    transaction: Query,
    proof: string,
    principal: Principal,
  ): Promise<{ readonly hasSecondFactor: boolean; readonly provedAt: number } | undefined>
}

const shape = /^([a-z][a-z0-9-]{0,30})\.([A-Za-z0-9_-]{43})$/

/** Whether this can be such a proof. */
export function isProviderProof(text: string): boolean {
  return shape.test(text)
}

export function createProviderProofs(parts: Pick<Parts, 'database' | 'sealer' | 'clock'>): ProviderProofs {
  const attempts = createAttempts(parts)
  const bound = (provider: string, sessionId: string) =>
    // INVARIANT: no cookie of a browser looks like this, so that no step of a sign-in takes a proof, nor the other way round.
    ({ provider, step: 'second-factor', browser: `proof for session/${sessionId}` }) as const

  return {
    async keep(provider, { personId, sessionId }, said) {
      const handle = await attempts.begin(bound(provider, sessionId), {
        ...said,
        personId,
        provedAt: parts.clock.now(),
      })
      return `${provider}.${handle}`
    },
    async take(transaction, proof, { id, credential }) {
      const [, provider = '', handle = ''] = shape.exec(proof) ?? []
      const taken = await attempts.take(transaction, handle, bound(provider, credential.id))
      if (taken === undefined) return undefined
      const { personId, issuer, subject, sid, issuedAt, ...rest } = kept.parse(taken)
      const asserted = { subject, sid, issuedAt }
      const isGone = await whyNot(transaction, { name: provider, issuer }, { personId, asserted })
      return personId === id && isGone === undefined ? rest : undefined
    },
  }
}
