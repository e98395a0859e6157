/**
 * What a person ends from their account: a session, all others, a client, an access token, a program they answer for.
 * Stops: ending what is another person's: an id of somebody else and one that never was are answered alike.
 * Trusts: identity to look for the id among this person's own alone.
 * Fails: with a page that says the thing is not there; ended it is either way.
 */
import { isRefusal, type Refusal } from '#kernel'
import type { Fields } from '../pages/form.ts'
import { sendOn } from '../pages/page.ts'
import { sendProblem } from '../pages/problem-page.ts'
import type { PersonalCall, PersonalScreen } from '../pages/screen.ts'
import type { AccountParts } from './account-screen.ts'
import { doneAddress } from './done.ts'

type Ending = (call: PersonalCall, fields: Fields) => Promise<{ readonly done: string } | Refusal>

const reason = 'ended by its person'

function ending(path: string, end: Ending): PersonalScreen {
  return {
    isFor: 'person',
    owns: (asked) => asked === path,
    get: ({ res }) => sendOn(res, '/account'),
    async post(call, fields) {
      const ended = await end(call, fields)
      if (isRefusal(ended)) return sendProblem(call.res, ended)
      sendOn(call.res, doneAddress(ended.done))
    },
  }
}

function idOf(fields: Fields): string {
  return fields.get('id') ?? ''
}

export function endingScreens({
  sessions,
  grants,
  tokens,
  notices,
  consents,
  serviceAccounts,
}: AccountParts): readonly PersonalScreen[] {
  return [
    ending('/account/sessions', async ({ principal }, fields) => {
      if (fields.get('all') === 'others') {
        await sessions.endAll(principal.id, principal, principal.credential.id)
        return { done: 'sessions-ended' }
      }
      const ended = await sessions.end(idOf(fields), principal, reason, principal.id)
      return isRefusal(ended) ? ended : { done: 'session-ended' }
    }),
    ending('/account/clients', async ({ principal }, fields) => {
      const ended = await grants.end(idOf(fields), principal, { reason, ownerId: principal.id })
      return isRefusal(ended) ? ended : { done: 'client-ended' }
    }),
    ending('/account/tokens', async ({ principal }, fields) => {
      const ended = await tokens.revoke(idOf(fields), principal, principal.id)
      return isRefusal(ended) ? ended : { done: 'token-revoked' }
    }),
    ending('/account/service-accounts', async ({ principal }, fields) => {
      const change = { id: idOf(fields), by: principal, ownerId: principal.id }
      const isRenewal = fields.get('do') === 'renew'
      const changed = await (isRenewal ? serviceAccounts.renew(change) : serviceAccounts.suspend(change))
      if (isRefusal(changed)) return changed
      return { done: isRenewal ? 'service-account-renewed' : 'service-account-stopped' }
    }),
    ending('/account/consents', async ({ principal }, fields) => {
      const refusal = await consents.revoke(idOf(fields), principal)
      return refusal ?? { done: 'consent-revoked' }
    }),
    ending('/account/notices', async ({ principal }) => {
      await notices.markRead(principal.id)
      return { done: 'notices-read' }
    }),
  ]
}
