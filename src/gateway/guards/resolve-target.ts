/**
 * What is this request about: which upstream, and which tool, resource or prompt of it?
 * Stops: methods and subscriptions that no policy can judge; servers that do not exist.
 * Trusts: the catalog of upstreams that an administrator added.
 * Fails: a method not listed here is unknown; a server not in the catalog answers as one not granted.
 */
import { refuse, type Refusal, type Target } from '#kernel'
import type { Permission } from '#policy'
import { isObject, type Message } from '#protocol'
import type { UpstreamRecord } from '#upstream'
import type { Arrival } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import { gatewayRefusals, onTheWire } from '../refusals.ts'
import { subscribedResources } from '../subscriptions.ts'
import type { Inbound } from './read-message.ts'

export interface Aim {
  readonly upstream: UpstreamRecord
  readonly target: Target
  /** What the principal must be permitted on the target. */
  readonly permission: Permission
  /** Resources that a subscription asks to be told about; each is judged like a read of it. */
  readonly subscriptions: readonly Target[]
}

type Kind = Target['kind']

const permissionFor: Readonly<Record<Kind, Permission>> = {
  server: 'servers:use',
  tool: 'tools:call',
  resource: 'resources:read',
  prompt: 'prompts:get',
}

/** Requests and notifications that may pass, and what each is about. Anything else is refused. */
const judged: ReadonlyMap<string, Kind | 'reference'> = new Map([
  ['initialize', 'server'],
  ['ping', 'server'],
  ['server/discover', 'server'],
  ['subscriptions/listen', 'server'],
  ['logging/setLevel', 'server'],
  ['tools/list', 'server'],
  ['tools/call', 'tool'],
  ['resources/list', 'server'],
  ['resources/templates/list', 'server'],
  ['resources/read', 'resource'],
  ['resources/subscribe', 'resource'],
  ['resources/unsubscribe', 'resource'],
  ['prompts/list', 'server'],
  ['prompts/get', 'prompt'],
  ['completion/complete', 'reference'],
  ['notifications/initialized', 'server'],
  ['notifications/cancelled', 'server'],
  ['notifications/progress', 'server'],
  ['notifications/roots/list_changed', 'server'],
])

function badParams(era: Inbound['era'], problem: string): Refusal {
  const refusal = refuse(gatewayRefusals.messageRefused, { names: { problem }, detail: { problem } })
  return onTheWire(refusal, { status: era === 'modern' ? 400 : 200, code: -32602 })
}

function unknownMethod(era: Inbound['era'], method: string): Refusal {
  const refusal = refuse(gatewayRefusals.methodUnknown, { names: { method }, detail: { method } })
  return onTheWire(refusal, { status: era === 'modern' ? 404 : 200, code: -32601 })
}

function referenced(message: Message): { kind: Kind; name: unknown } | undefined {
  const reference = message.params?.['ref']
  if (!isObject(reference)) return undefined
  if (reference['type'] === 'ref/prompt') return { kind: 'prompt', name: reference['name'] }
  return reference['type'] === 'ref/resource' ? { kind: 'resource', name: reference['uri'] } : undefined
}

function aimOf(upstream: UpstreamRecord, { message, era }: Inbound): Aim | Refusal {
  const subscriptions = subscribedResources(message, upstream.name)
  if (subscriptions === undefined) return badParams(era, 'the filter holds what castellan cannot judge')
  const server: Aim = {
    upstream,
    target: { upstream: upstream.name, kind: 'server' },
    permission: permissionFor.server,
    subscriptions,
  }
  // SPEC: GET, DELETE and posted responses belong to the session as a whole.
  if (message?.method === undefined) return server
  const kind = judged.get(message.method)
  if (kind === undefined) return unknownMethod(era, message.method)
  if (kind === 'server') return server
  const about = kind === 'reference' ? referenced(message) : { kind, name: message.name }
  if (about === undefined || typeof about.name !== 'string' || about.name === '') {
    return badParams(era, `\`${message.method}\` lacks the name of what it is about`)
  }
  const target: Target = { upstream: upstream.name, kind: about.kind, name: about.name }
  return { upstream, target, permission: permissionFor[about.kind], subscriptions }
}

export interface Catalog {
  refresh(): void | Promise<void>
  find(name: string): UpstreamRecord | undefined
}

export function resolveTarget(catalog: Catalog): Guard<Arrival & Inbound, Aim> {
  const resolve = (known: Arrival & Inbound): Aim | Refusal => {
    const upstream = catalog.find(known.serverName)
    if (upstream === undefined) {
      return refuse(gatewayRefusals.serverUnknown, { names: { server: known.serverName }, detail: { isKnown: false } })
    }
    return aimOf(upstream, known)
  }
  return {
    name: 'resolve-target',
    check(known) {
      const refreshed = catalog.refresh()
      return refreshed instanceof Promise ? refreshed.then(() => resolve(known)) : resolve(known)
    },
  }
}
