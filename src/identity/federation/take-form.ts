/**
 * Was the form of a page below `/sso/` filled in where we gave it? Read, tied to browser, person and path, or refused.
 * Stops: forms of other sites; a body that nobody read being taken for the next request.
 * Trusts: the same rules as for every other page. Fails: nothing is done; a refused form is on record before it is answered.
 * @see ASVS 3.5.1
 */
import { type Principal, refuse } from '#kernel'
import { formRefused } from '../pages/events.ts'
import { type Fields, isFields, mostFormBytes, readForm } from '../pages/form.ts'
import { sendProblem } from '../pages/problem-page.ts'
import { pageRefusals } from '../pages/refusals.ts'
import type { FederationParts, Trip } from './trip.ts'

const unread = {
  'too-large': pageRefusals.formTooLarge,
  'wrong-type': pageRefusals.formType,
  unreadable: pageRefusals.formUnreadable,
} as const

/** @returns undefined when the answer was given already */
export async function takeForm(
  parts: FederationParts,
  { req, res, visit }: Trip,
  principal?: Principal,
): Promise<Fields | undefined> {
  const fields = await readForm(req, mostFormBytes)
  if (fields === 'left') return undefined
  const back = '/sign-in'
  if (!isFields(fields)) {
    sendProblem(res, refuse(unread[fields]), { back, headers: { connection: 'close' } })
    return undefined
  }
  const { path, address, exchangeId: exchange } = visit
  const reason = parts.forms.whyNot(req, fields, { path, session: principal?.credential.id ?? '' })
  if (reason === undefined) return fields
  const refusal = refuse(pageRefusals.formStale)
  await parts.ledger.append(formRefused, {
    exchange,
    address,
    ...(principal === undefined ? {} : { principal }),
    outcome: 'refused',
    refusal: refusal.code,
    details: { path, reason },
  })
  sendProblem(res, refusal, { back })
  return undefined
}
