import type { SessionView } from '#identity'
import { isRefusal, refuse, type Principal } from '#kernel'
import { z } from 'zod'
import { refusals } from '../refusals.ts'
import { openRoute, route } from '../route.ts'
import { done, idParams, isoTime, listOf, moment, nameText, secretText } from '../shapes.ts'
import { person, showPerson } from './people.ts'
import type { Rooms } from '../rooms.ts'

export const session = z.object({
  id: z.string(),
  address: z.string(),
  agent: z.string(),
  createdAt: moment,
  lastSeenAt: moment,
  expiresAt: moment,
  isCurrent: z.boolean(),
})

export function showSession(given: SessionView, currentId: string): z.infer<typeof session> {
  return {
    id: given.id,
    address: given.address,
    agent: given.agent,
    createdAt: isoTime(given.createdAt),
    lastSeenAt: isoTime(given.lastSeenAt),
    expiresAt: isoTime(given.expiresAt),
    isCurrent: given.id === currentId,
  }
}

async function showOwnPerson(rooms: Rooms, principal: Principal) {
  const found = await rooms.identity.people.find(principal.id)
  return found === undefined ? refuse(refusals.notSignedIn) : showPerson(found)
}

const signIn = openRoute({
  method: 'POST',
  path: '/sign-in',
  summary: 'sign in with name, password and a code of the second factor or a recovery code',
  recordsOwnRefusals: true,
  body: z.strictObject({ name: nameText, password: secretText, code: secretText.optional() }),
  answer: z.object({ token: z.string(), session, person }),
  async handle({ rooms, body, address, agent }) {
    const signedIn = await rooms.identity.signIn({ ...body, address, agent })
    if (isRefusal(signedIn)) return signedIn
    const shown = await showOwnPerson(rooms, signedIn.principal)
    if (isRefusal(shown)) return shown
    const { token, session: view } = signedIn
    return { token, session: showSession(view, view.id), person: shown }
  },
})

const signOut = route({
  method: 'POST',
  path: '/sign-out',
  summary: 'end this session',
  access: 'signed-in',
  isForRegistering: true,
  answer: done,
  async handle({ rooms, principal }) {
    const { kind, id } = principal.credential
    if (kind === 'session') await rooms.identity.sessions.end(id, principal, 'signed-out')
    else await rooms.identity.terminals.signOut(principal)
    return { done: true as const }
  },
})

const me = route({
  method: 'GET',
  path: '/me',
  summary: 'who this session belongs to, and where the gateway is',
  access: 'signed-in',
  isForRegistering: true,
  answer: z.object({
    person,
    factors: z.array(z.string()),
    sessionId: z.string(),
    sessionExpiresAt: moment,
    gatewayUrl: z.string(),
  }),
  async handle({ rooms, principal }) {
    const shown = await showOwnPerson(rooms, principal)
    if (isRefusal(shown)) return shown
    return {
      person: shown,
      factors: [...principal.factors],
      sessionId: principal.credential.id,
      sessionExpiresAt: isoTime(principal.credential.expiresAt),
      gatewayUrl: rooms.config.gateway.publicUrl,
    }
  },
})

const ownSessions = route({
  method: 'GET',
  path: '/me/sessions',
  summary: 'your sessions',
  access: 'signed-in',
  answer: listOf(session),
  async handle({ rooms, principal }) {
    const own = await rooms.identity.sessions.list(principal.id)
    return { items: own.map((one) => showSession(one, principal.credential.id)) }
  },
})

const endOwnSession = route({
  method: 'DELETE',
  path: '/me/sessions/:id',
  summary: 'end one of your sessions',
  access: 'signed-in',
  params: idParams,
  answer: done,
  async handle({ rooms, principal, params }) {
    // INVARIANT: an id of another person's session and an id that never was get the same answer.
    const ended = await rooms.identity.sessions.end(params.id, principal, 'ended-by-owner', principal.id)
    return isRefusal(ended) ? ended : { done: true as const }
  },
})

const changePassword = route({
  method: 'POST',
  path: '/me/password',
  summary: 'change your password; needs the current one and a code',
  recordsOwnRefusals: true,
  access: 'signed-in',
  body: z.strictObject({
    current: secretText,
    next: secretText,
    code: secretText.optional(),
    /** Revoke your access tokens too. */
    isRevokingTokens: z.boolean().optional(),
  }),
  answer: z.object({ endedSessions: z.number(), revokedTokens: z.number() }),
  handle: async ({ rooms, principal, body, address }) =>
    rooms.identity.people.changePassword({ principal, address, ...body }),
})

const resetRecoveryCodes = route({
  method: 'POST',
  path: '/me/recovery-codes',
  summary: 'ten new recovery codes; the old ones stop working',
  recordsOwnRefusals: true,
  access: 'signed-in',
  body: z.strictObject({ password: secretText, code: secretText }),
  answer: z.object({ recoveryCodes: z.array(z.string()).readonly() }),
  handle: async ({ rooms, principal, body, address }) =>
    rooms.identity.people.resetRecoveryCodes({ principal, address, ...body }),
})

export const accountRoutes = [signIn, signOut, me, ownSessions, endOwnSession, changePassword, resetRecoveryCodes]
