/**
 * For which server is this call, and what does that server get?
 * Stops: a call that is judged under one name and carried out under another.
 * Trusts: names and URIs only to find the server: all guards judge the call again as one to that server.
 * Fails: a name that names no server of this address is answered as one that may not be used.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { refuse, type Refusal } from '#kernel'
import { applyEdits, type Edit, encodeHeaderValue, isObject, type Message, metaKeys, spanOf } from '#protocol'
import { joinName, type Pin, sharedToolName, splitName, toolBySharedName } from '#upstream'
import type { JointAddress } from '../arrival.ts'
import { gatewayRefusals } from '../refusals.ts'
import { tellOutward } from './outward.ts'
import type { Holder } from '../handles/seals.ts'
import { splitUri } from './shared-uri.ts'

/** A call as its server gets it. */
export interface Routed {
  readonly serverName: string
  readonly message: Message
  readonly body: Buffer
  readonly headers: IncomingHttpHeaders
  readonly joint: JointAddress
}

export interface RoutingRooms {
  readonly pins: {
    find(upstream: string, tool: string): Pin | undefined
    list(upstream: string): Pin[]
  }
}

/** A call that came to an address of several servers. */
export interface Call extends Holder {
  readonly message: Message
  readonly headers: IncomingHttpHeaders
  readonly isLeg: boolean
  /** Whether a server answers at this address. */
  readonly isMember: (upstream: string) => boolean
}

/** Not had where several servers answer. */
export const tasksExtension = 'io.modelcontextprotocol/tasks'

type Kind = 'tool' | 'prompt' | 'resource'

interface Naming {
  readonly kind: Kind
  /** From the message down to the name. */
  readonly path: readonly string[]
  readonly name: unknown
}

/** What a message of one thing names, and where; undefined for a message that is about several servers. */
export function namingOf({ method, params = {} }: Message): Naming | undefined {
  if (method === 'tools/call') return { kind: 'tool', path: ['params', 'name'], name: params['name'] }
  if (method === 'prompts/get') return { kind: 'prompt', path: ['params', 'name'], name: params['name'] }
  if (method === 'resources/read') return { kind: 'resource', path: ['params', 'uri'], name: params['uri'] }
  if (method !== 'completion/complete') return undefined
  const ref = isObject(params['ref']) ? params['ref'] : {}
  if (ref['type'] === 'ref/prompt') return { kind: 'prompt', path: ['params', 'ref', 'name'], name: ref['name'] }
  return { kind: 'resource', path: ['params', 'ref', 'uri'], name: ref['uri'] }
}

/** The tool that a name stands for. WHY: looked for among all only when it is not simply the one after the separator. */
function ownToolName({ pins }: RoutingRooms, joined: string, upstream: string, own: string): string | undefined {
  const isApproved = pins.find(upstream, own)?.approvedHash !== undefined
  if (isApproved && sharedToolName(upstream, own) === joined) return own
  const approved = pins.list(upstream).filter((pin) => pin.approvedHash !== undefined)
  const tools = approved.map((pin) => pin.tool)
  // INVARIANT: a name that is in no list stands for nothing, also where it ends like a tool's own.
  return toolBySharedName(joined, upstream, tools) ?? (isApproved ? undefined : own)
}

function splitNaming(rooms: RoutingRooms, { kind, name }: Naming) {
  if (typeof name !== 'string') return undefined
  if (kind === 'resource') return splitUri(name)
  const split = splitName(name)
  if (split === undefined || kind === 'prompt') return split
  const own = ownToolName(rooms, name, split.upstream, split.own)
  return own === undefined ? undefined : { upstream: split.upstream, own }
}

/** The answer to a name of nothing that may be used here, whatever the reason. */
export function notThere(message: Message, address: string): Refusal {
  const naming = namingOf(message)
  const name = typeof naming?.name === 'string' ? naming.name : ''
  const names = { kind: naming?.kind ?? 'tool', name, server: address }
  return refuse(gatewayRefusals.notGranted, { names, detail: { reason: 'no-such-member', name } })
}

/** The parsed message with the same changes as its text. */
function renamed(message: Message, path: readonly string[], own: string, edits: readonly Edit[]): Message {
  const text = applyEdits(message.text, edits)
  const params: Record<string, unknown> = { ...message.params }
  if (path.length === 2) params[path[1] ?? ''] = own
  else params['ref'] = { ...(params['ref'] as object), [path[2] ?? '']: own }
  const { idSpan } = message
  const isBehind = idSpan !== undefined && edits.every(({ span }) => span[0] >= idSpan[1])
  return {
    ...message,
    params,
    ...(path.length === 2 ? { name: own } : {}),
    json: { ...message.json, params },
    text,
    idSpan: isBehind ? idSpan : undefined,
  }
}

/**
 * SPEC: the tasks extension names a task by its id alone, which does not say whose it is: no server is told here that it
 * may answer with one.
 */
function extensionEdits({ text, params }: Message): Edit[] {
  const meta = params?.['_meta']
  const capabilities = isObject(meta) ? meta[metaKeys.clientCapabilities] : undefined
  const extensions = isObject(capabilities) ? capabilities['extensions'] : undefined
  if (!isObject(extensions) || !Object.hasOwn(extensions, tasksExtension)) return []
  const { [tasksExtension]: _tasks, ...others } = extensions
  const span = spanOf(text, ['params', '_meta', metaKeys.clientCapabilities, 'extensions'])
  return span === undefined ? [] : [{ span, text: JSON.stringify(others) }]
}

function headersFor({ headers }: Call, own: string): IncomingHttpHeaders {
  if (headers['mcp-name'] === undefined) return headers
  return { ...headers, 'mcp-name': encodeHeaderValue(own) }
}

/**
 * The call as its server gets it: by the server's own name. Undefined for what is about several
 * servers.
 */
export function routeCall(rooms: RoutingRooms, call: Call): Routed | Refusal | undefined {
  const { message, address, isLeg } = call
  const naming = namingOf(message)
  if (naming === undefined) return undefined
  const split = splitNaming(rooms, naming)
  const span = spanOf(message.text, naming.path)
  if (split === undefined || span === undefined || !call.isMember(split.upstream)) return notThere(message, address)
  const { upstream, own } = split
  const told = renamed(message, naming.path, own, [{ span, text: JSON.stringify(own) }, ...extensionEdits(message)])
  return {
    serverName: upstream,
    message: told,
    body: Buffer.from(told.text),
    headers: headersFor(call, own),
    joint: { address, isLeg, outward: (answer, result) => tellOutward(answer, result, upstream) },
  }
}

/** The name under which a server's thing is listed. */
export function sharedNameOf(kind: 'tool' | 'prompt', upstream: string, own: string): string {
  return kind === 'tool' ? sharedToolName(upstream, own) : joinName(upstream, own)
}
