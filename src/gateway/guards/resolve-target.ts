/**
 * What is this request about: which upstream, and which tool, resource or prompt of it?
 * Stops: methods and subscriptions that no policy can judge; servers that do not exist.
 * Trusts: the catalog of upstreams that an administrator added.
 * Fails: a method not listed here is unknown; a server not in the catalog answers as one not granted.
 */
import { type Classification, isRefusal, type Principal, refuse, type Refusal, type Target } from '#kernel'
import { errorCodes, type Era, isObject, type Message } from '#protocol'
import type { UpstreamRecord } from '#upstream'
import type { Arrival } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import { type Circumstanced, circumstancesOf, circumstancesOfOther, type Classifies } from '../flow/circumstances.ts'
import { badParams, gatewayRefusals, onTheWire } from '../refusals.ts'
import { type Needed, neededBesides, permissionOn } from '../flow/needed.ts'
import type { Consented } from '../flow/read-consents.ts'
import type { Labelled } from '../flow/read-labels.ts'
import type { Tasked } from './bind-handles.ts'
import type { Inbound } from './read-message.ts'

export interface Aim extends Needed, Circumstanced {
  readonly upstream: UpstreamRecord
  /** What must be permitted besides: each resource that a subscription asks to be told about, roots that are told along. */
  readonly alsoNeeded: readonly (Needed & Circumstanced)[]
  /** What an administrator said of the server of a tool: it is judged besides. */
  readonly serverLabels?: Classification | undefined
  /** Set where several servers answer: whether any of them still may be used by this person. */
  readonly gathers?: ((principal: Principal) => boolean) | undefined
}

/** What is known when a request is told what it is about. */
type Circumstantial = Arrival & Inbound & Tasked & Labelled & Consented

type Kind = Target['kind']

interface Judged {
  readonly about: Kind | 'reference'
  /** SPEC: the method does not exist in the other era. */
  readonly era?: Era
}

/** Requests and notifications that may pass, and what each is about. Anything else is refused. */
const judged: ReadonlyMap<string, Judged> = new Map<string, Judged>([
  ['initialize', { about: 'server', era: 'legacy' }],
  ['ping', { about: 'server', era: 'legacy' }],
  ['server/discover', { about: 'server', era: 'modern' }],
  ['subscriptions/listen', { about: 'server', era: 'modern' }],
  ['logging/setLevel', { about: 'server', era: 'legacy' }],
  ['tools/list', { about: 'server' }],
  ['tools/call', { about: 'tool' }],
  ['resources/list', { about: 'server' }],
  ['resources/templates/list', { about: 'server' }],
  ['resources/read', { about: 'resource' }],
  ['resources/subscribe', { about: 'resource', era: 'legacy' }],
  ['resources/unsubscribe', { about: 'resource', era: 'legacy' }],
  ['prompts/list', { about: 'server' }],
  ['prompts/get', { about: 'prompt' }],
  ['completion/complete', { about: 'reference' }],
  ['notifications/initialized', { about: 'server', era: 'legacy' }],
  ['notifications/cancelled', { about: 'server' }],
  ['notifications/progress', { about: 'server', era: 'legacy' }],
  ['notifications/roots/list_changed', { about: 'server', era: 'legacy' }],
])

function unknownMethod({ era, message }: Inbound): Refusal {
  const method = message?.method ?? ''
  const refusal = refuse(gatewayRefusals.methodUnknown, { names: { method }, detail: { method } })
  // SPEC: before 2026-07-28 a 404 says that the session is gone, and what is no request cannot be answered in band.
  const legacyStatus = message?.kind === 'request' ? 200 : 400
  return onTheWire(refusal, { status: era === 'modern' ? 404 : legacyStatus, code: errorCodes.methodNotFound })
}

/** What kind of thing a message is about; the refusal of a method that is not served in its era. */
export function aboutOf(inbound: Inbound): Kind | 'reference' | Refusal {
  const { message, era } = inbound
  // SPEC: GET, DELETE and posted responses belong to the session as a whole.
  if (message?.method === undefined) return 'server'
  const method = judged.get(message.method)
  return method === undefined || (method.era ?? era) !== era ? unknownMethod(inbound) : method.about
}

function referenced(message: Message): { kind: Kind; name: unknown } | undefined {
  const reference = message.params?.['ref']
  if (!isObject(reference)) return undefined
  if (reference['type'] === 'ref/prompt') return { kind: 'prompt', name: reference['name'] }
  return reference['type'] === 'ref/resource' ? { kind: 'resource', name: reference['uri'] } : undefined
}

function aimOf(
  { upstream, classifies }: { upstream: UpstreamRecord; classifies: Classifies },
  inbound: Circumstantial,
): Aim | Refusal {
  const { message, era } = inbound
  const besides = neededBesides(upstream.name, inbound)
  if (besides === undefined) return badParams(era, 'the filter holds what castellan cannot judge')
  const aim = (target: Target): Aim => {
    const circumstances = circumstancesOf(classifies, inbound, target)
    const alsoNeeded = besides.map((needed) => ({
      ...needed,
      circumstances: circumstancesOfOther(classifies, circumstances, needed.target),
    }))
    const serverLabels = target.kind === 'tool' ? classifies.of(target.upstream) : undefined
    return { upstream, target, permission: permissionOn(target), alsoNeeded, circumstances, serverLabels }
  }
  const { isAsked, bound } = inbound.tasks
  const { name: server } = upstream
  if (bound !== undefined) return { ...aim({ upstream: server, kind: 'tool', name: bound.tool }), wasCalled: true }
  if (isAsked) return aim({ upstream: server, kind: 'server' })
  const kind = aboutOf(inbound)
  if (isRefusal(kind)) return kind
  if (message === undefined || kind === 'server') return aim({ upstream: server, kind: 'server' })
  const about = kind === 'reference' ? referenced(message) : { kind, name: message.name }
  if (about === undefined || typeof about.name !== 'string' || about.name === '') {
    return badParams(era, `\`${message.method}\` lacks the name of what it is about`)
  }
  return aim({ upstream: server, kind: about.kind, name: about.name })
}

export interface Catalog {
  refresh(): void | Promise<void>
  find(name: string): UpstreamRecord | undefined
}

export function resolveTarget(catalog: Catalog, classifies: Classifies): Guard<Circumstantial, Aim> {
  const resolve = (known: Circumstantial): Aim | Refusal => {
    const upstream = catalog.find(known.serverName)
    if (upstream === undefined) {
      return refuse(gatewayRefusals.serverUnknown, { names: { server: known.serverName }, detail: { isKnown: false } })
    }
    return aimOf({ upstream, classifies }, known)
  }
  return {
    name: 'resolve-target',
    check(known) {
      const refreshed = catalog.refresh()
      return refreshed instanceof Promise ? refreshed.then(() => resolve(known)) : resolve(known)
    },
  }
}
