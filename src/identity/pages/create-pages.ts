/**
 * What do people meet in a browser on the gateway's listener? Finds the page of a path and asks first what every page asks.
 * Stops: forms that are not ours, other methods, oversized and mistyped bodies, pages of a person shown to nobody.
 * Trusts: the doorway for address, Host, Origin and rate; each screen for its own answer.
 * Fails: with a page that says what was wrong; a refused form is on record before it is answered.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Ledger } from '#audit'
import { type Clock, refuse, type Sealer } from '#kernel'
import type { Mount, Visit } from '../front/front.ts'
import { refusals } from '../refusals.ts'
import type { BrowserSessions, Present } from './browser-session.ts'
import { formRefused } from './events.ts'
import { createForms, type Fields, type FormProblem, type Forms, isFields, mostFormBytes, readForm } from './form.ts'
import { lookFileAt } from './look/look-files.ts'
import { sendFile, sendOn } from './page.ts'
import { sendProblem } from './problem-page.ts'
import { pageRefusals } from './refusals.ts'
import type { Call, Screen } from './screen.ts'

export interface PagesParts {
  readonly ledger: Pick<Ledger, 'append'>
  readonly clock: Clock
  readonly sealer: Sealer
  readonly browser: BrowserSessions
  publicUrl(): string
  readonly screens: readonly Screen[]
}

/** Where pages live; a path below these that no screen owns is answered as a page, too. */
const territory = /^\/(?:sign-in|sign-out|recover|device|account|consent|step-up|remedies|assets)(?:\/|$)/

const formProblems = {
  'too-large': pageRefusals.formTooLarge,
  'wrong-type': pageRefusals.formType,
  unreadable: pageRefusals.formUnreadable,
} as const satisfies Record<Exclude<FormProblem, 'left'>, unknown>

function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  const at = url.indexOf('?')
  return new URLSearchParams(at < 0 ? '' : url.slice(at + 1))
}

function callOf(
  { browser }: PagesParts,
  forms: Forms,
  { req, res, visit }: Pick<Call, 'req' | 'res' | 'visit'>,
  session: string,
): Call {
  let present: Promise<Present | undefined> | undefined
  return {
    req,
    res,
    visit,
    query: queryOf(req),
    formField: (path = visit.path) => forms.field({ req, res }, { path, session }),
    binding: () => forms.binding({ req, res }),
    present: () => (present ??= browser.find(req, visit.address)),
  }
}

async function takeForm(parts: PagesParts, forms: Forms, call: Call, session: string): Promise<Fields | undefined> {
  const { req, res, visit } = call
  const read = await readForm(req, mostFormBytes)
  if (read === 'left') return undefined
  if (!isFields(read)) {
    // WHY: what was not read is still on its way; the next request would begin in the middle of it.
    sendProblem(res, refuse(formProblems[read]), { back: visit.path, headers: { connection: 'close' } })
    return undefined
  }
  const reason = forms.whyNot(req, read, { path: visit.path, session })
  if (reason === undefined) return read
  const { path, exchangeId: exchange, address } = visit
  const refusal = refuse(pageRefusals.formStale)
  const { principal } = (await call.present()) ?? {}
  await parts.ledger.append(formRefused, {
    exchange,
    address,
    ...(principal === undefined ? {} : { principal }),
    outcome: 'refused',
    refusal: refusal.code,
    details: { path, reason },
  })
  sendProblem(res, refusal, { back: path })
  return undefined
}

function methodsOf(screen: Screen): string {
  return [...(screen.get === undefined ? [] : ['GET', 'HEAD']), ...(screen.post === undefined ? [] : ['POST'])].join(
    ', ',
  )
}

function toSignIn({ req, res, visit }: Call): void {
  // WHY: what was filled in is lost either way; the page of the form is where to begin again.
  const next = req.method === 'POST' ? visit.path : (req.url ?? visit.path)
  sendOn(res, `/sign-in?${new URLSearchParams({ next }).toString()}`)
}

async function answerOpen(parts: PagesParts, forms: Forms, at: Call, screen: Screen & { isFor: 'everybody' }) {
  if (at.req.method !== 'POST') return screen.get(at)
  const fields = await takeForm(parts, forms, at, '')
  if (fields !== undefined) await screen.post?.(at, fields)
}

async function answerPerson(parts: PagesParts, forms: Forms, open: Call, screen: Screen & { isFor: 'person' }) {
  const present = await open.present()
  const isForm = open.req.method === 'POST'
  if (present === undefined) return isForm || screen.ask === undefined ? toSignIn(open) : screen.ask(open)
  const { principal, isRegistering } = present
  if (isRegistering && screen.isForRegistering !== true) return sendProblem(open.res, refuse(refusals.passkeyNeeded))
  const session = principal.credential.id
  const call = { ...callOf(parts, forms, open, session), principal }
  if (!isForm) return screen.get?.(call)
  const fields = await takeForm(parts, forms, call, session)
  if (fields !== undefined) await screen.post?.(call, fields)
}

async function answer(
  parts: PagesParts,
  forms: Forms,
  at: { readonly req: IncomingMessage; readonly res: ServerResponse; readonly visit: Visit },
): Promise<void> {
  const { req, res, visit } = at
  const method = req.method === 'HEAD' ? 'GET' : req.method
  const isGet = method === 'GET'
  const file = lookFileAt(visit.path)
  if (file !== undefined) {
    if (isGet) return sendFile(res, file)
    return sendProblem(res, refuse(pageRefusals.methodNotAllowed), { headers: { allow: 'GET, HEAD' } })
  }
  const screen = parts.screens.find((one) => one.owns(visit.path))
  if (screen === undefined) return sendProblem(res, refuse(pageRefusals.pageUnknown))
  const isTaken = isGet ? screen.get !== undefined : method === 'POST' && screen.post !== undefined
  if (!isTaken) {
    const headers = { allow: methodsOf(screen), connection: 'close' }
    return sendProblem(res, refuse(pageRefusals.methodNotAllowed), { headers })
  }
  const call = callOf(parts, forms, at, '')
  await (screen.isFor === 'person' ? answerPerson(parts, forms, call, screen) : answerOpen(parts, forms, call, screen))
}

/** The pages, as one part of what the gateway's listener answers beside MCP. */
export function createPages(parts: PagesParts): Mount {
  const forms = createForms(parts)
  return {
    owns: (path) => territory.test(path),
    answer: (req, res, visit) => answer(parts, forms, { req, res, visit }),
  }
}
