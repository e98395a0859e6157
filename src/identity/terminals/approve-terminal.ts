/**
 * May this session sign a terminal in, and until when? With the factors that a token asks for, until it ends itself.
 * Stops: a terminal from a session with a password alone; a chain of sign-ins that outlives the absolute limit; hoards.
 * Trusts: the session, read again at this moment. Fails closed: a session that has ended approves nothing.
 * @see ASVS 6.3.3, 7.1.2, 7.3.2
 */
import { type Principal, type Refusal, refuse } from '#kernel'
import { hasSecondFactor } from '../credentials/principals.ts'
import type { OauthParts } from '../oauth/parts.ts'
import { refusals } from '../refusals.ts'
import { findProvable } from '../sign-in/prove-factors.ts'
import { endTerminals } from './end-terminals.ts'
import { terminalSeconds } from './life.ts'
import { terminalRefusals } from './refusals.ts'
import { signInBehind } from './sign-in-behind.ts'

const secondMs = 1_000

/** How long a terminal may stay signed in that this session approves, in milliseconds; at least a second. */
export function terminalLifeMs({ clock, settings }: Pick<OauthParts, 'clock' | 'settings'>, by: Principal): number {
  const left = by.credential.expiresAt - clock.now()
  return Math.max(secondMs, Math.min(left, terminalSeconds(settings).grant * secondMs))
}

/** Makes room for one more terminal. @returns how long its grant lasts, or why there is none */
export async function approveTerminal(
  parts: OauthParts,
  principal: Principal,
): Promise<{ readonly lifeSeconds: number } | Refusal> {
  const { database, clock, settings } = parts
  const { id: personId, credential } = principal
  const refusal = await database.transaction(async (transaction) => {
    const session = await signInBehind(transaction, principal)
    // INVARIANT: terminals are signed in from browsers, not from terminals.
    if (session?.status !== 'active' || credential.kind !== 'session') return refuse(refusals.sessionInvalid)
    const own = await findProvable(transaction, { id: personId })
    const hasFactor = own?.totp !== undefined || own?.hasPasskey === true
    const isNeeded = settings.secondFactor === 'required' || hasFactor
    if (isNeeded && !hasSecondFactor(principal.factors)) return refuse(terminalRefusals.factorNeeded)
    const except = settings.sessionsPerPerson - 1
    await endTerminals(transaction, { personId, except, reason: 'too many sessions', nowMs: clock.now() })
    return undefined
  })
  return refusal ?? { lifeSeconds: Math.max(1, Math.floor(terminalLifeMs(parts, principal) / secondMs)) }
}
