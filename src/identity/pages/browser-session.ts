/**
 * Who is signed in in this browser? The person behind the session cookie, if their session holds.
 * Stops: fixation (a sign-in always gives a new session and ends the browser's former one), and use after sign-out.
 * Trusts: identity's sessions for idle and absolute limits; the cookie carries nothing but their token.
 * Fails: any doubt is nobody.
 * @see ASVS 7.2.4, 7.4.1; decision 0031
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isRefusal, type Principal, type Refusal } from '#kernel'
import type { SessionContext } from '../credentials/authenticate-session.ts'
import type { Sessions } from '../credentials/sessions.ts'
import type { SignedIn } from '../sign-in/sign-in.ts'
import { refusals } from '../refusals.ts'
import { cookieNames, readCookie, writeCookie } from './cookies.ts'

/** Whoever is signed in in a browser. */
export interface Present {
  readonly principal: Principal
  /** They can do nothing but look at their account, register a passkey and sign out. */
  readonly isRegistering: boolean
}

/** The person signed in in this browser. */
export interface BrowserSessions {
  /** Counts as use of the session. */
  find(req: IncomingMessage, address: string): Promise<Present | undefined>
  /** As `find`, without those who have to register a passkey first. */
  read(req: IncomingMessage, address: string): Promise<Principal | undefined>
  /** Sets the cookie for a session that sign-in made; any former session of this browser is ended. */
  start(res: ServerResponse, req: IncomingMessage, signedIn: Pick<SignedIn, 'token' | 'principal'>): Promise<void>
  /** Ends the session of this browser, if it has one, and takes the cookie away. */
  end(req: IncomingMessage, res: ServerResponse): Promise<void>
}

export interface BrowserSessionParts {
  /** Where browsers reach this Castellan. */
  publicUrl(): string
  authenticateSession(token: string, context: SessionContext): Promise<Principal | Refusal>
  readonly sessions: Pick<Sessions, 'end'>
}

export function createBrowserSessions(parts: BrowserSessionParts): BrowserSessions {
  const { authenticateSession, sessions } = parts
  const names = () => cookieNames(parts.publicUrl())

  async function find(req: IncomingMessage, address: string): Promise<Present | undefined> {
    const token = readCookie(req, names().session)
    if (token === undefined) return undefined
    const whole = await authenticateSession(token, { address })
    if (!isRefusal(whole)) return { principal: whole, isRegistering: false }
    if (whole.code !== refusals.passkeyNeeded.code) return undefined
    const principal = await authenticateSession(token, { address, isRegistering: true })
    return isRefusal(principal) ? undefined : { principal, isRegistering: true }
  }

  async function endPresent(req: IncomingMessage, reason: string, exceptId?: string): Promise<void> {
    const { principal } = (await find(req, '')) ?? {}
    if (principal === undefined || principal.credential.id === exceptId) return
    await sessions.end(principal.credential.id, principal, reason)
  }

  return {
    find,
    async read(req, address) {
      const present = await find(req, address)
      return present?.isRegistering === true ? undefined : present?.principal
    },
    async start(res, req, { token, principal }) {
      await endPresent(req, 'signed in again in the same browser', principal.credential.id)
      const { session: name, isSecure } = names()
      writeCookie(res, { name, value: token, isSecure })
    },
    async end(req, res) {
      await endPresent(req, 'signed out')
      const { session: name, isSecure } = names()
      writeCookie(res, { name, value: undefined, isSecure })
    },
  }
}
