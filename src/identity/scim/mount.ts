/**
 * Who answers below `/scim/v2`? The connection is known before the body is read; then one of a few routes.
 * Stops: a body of a stranger being parsed; a refusal that is not on record.
 * Trusts: the gateway's doorway for address, Host, Origin and rate. Fails: a refusal that cannot be recorded is not told.
 * @see RFC 7644, section 3
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Refusal, isRefusal, refuse } from '#kernel'
import type { Mount, Visit } from '../front/front.ts'
import type { Parts } from '../parts.ts'
import { listOf, send, sendRefusal, sendResource } from './answer.ts'
import { readIfMatch, readJsonBody, readPage, readQuery, readWanted } from './ask.ts'
import {
  type AuthenticateToken,
  type Connection,
  createAuthenticator,
  scimResource,
} from '../scim-connections/authenticate.ts'
import { provisioningRefused } from './events.ts'
import { scimRefusals } from './refusals.ts'
import { resourceTypes, schemaList, serviceProviderConfig } from '../scim-resources/discovery.ts'
import { createGroups, type Groups } from '../scim-resources/groups.ts'
import { readOperations } from '../scim-resources/operations.ts'
import type { Members } from '../scim-resources/read-values.ts'
import { createSearch, type Kind, type Search } from '../scim-resources/search.ts'
import { project, type Shown, type Wanted } from '../scim-resources/show.ts'
import { createUsers, type Users } from '../scim-resources/users.ts'

const root = '/scim/v2'
const shape = /^\/scim\/v2\/(Users|Groups)(?:\/([^/]{1,200}))?$/
const idShape = /^[0-9a-f-]{36}$/
const unsupported = /^\/scim\/v2\/(?:Bulk|Me|\.search|(?:Users|Groups)\/\.search)$/

interface Trip {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly connection: Connection
}

interface Rooms {
  readonly search: Search
  readonly Users: Users
  readonly Groups: Groups
}

/** What is left to be sent when nothing was refused. */
type Outcome = Promise<Refusal | undefined>

async function list({ search }: Rooms, { req, res, connection }: Trip, kind: Kind): Outcome {
  const query = readQuery(req)
  if (isRefusal(query)) return query
  const page = readPage(query)
  if (isRefusal(page)) return page
  const found = await search.find(connection, kind, page)
  if (isRefusal(found)) return found
  send(res, { status: 200, body: listOf(found, page.startIndex) })
  return undefined
}

interface At {
  readonly kind: Kind
  readonly id: string
}

/** Which attributes the answer is to have. Read before anything is changed. */
function wantedBy({ req }: Trip): Wanted | Refusal {
  const query = readQuery(req)
  return isRefusal(query) ? query : readWanted(query)
}

/** Sends a resource as it is at this moment, with what was asked for. */
async function sendOne({ search }: Rooms, trip: Trip, at: At & { isNew?: boolean }): Outcome {
  const wanted = wantedBy(trip)
  if (isRefusal(wanted)) return wanted
  const read = await search.read(trip.connection, { ...at, wanted })
  if (isRefusal(read)) return read
  sendResource(trip.res, project(read, wanted), { isNew: at.isNew === true, meta: read['meta'] })
  return undefined
}

/** The body of a change; refused, too, where the answer that is asked for cannot be given. */
async function bodyOf(trip: Trip): Promise<Members | Refusal> {
  const wanted = wantedBy(trip)
  return isRefusal(wanted) ? wanted : readJsonBody(trip.req)
}

async function create(rooms: Rooms, trip: Trip, kind: Kind): Outcome {
  const body = await bodyOf(trip)
  if (isRefusal(body)) return body
  const id = await rooms[`${kind}s`].create(trip.connection, body)
  return isRefusal(id) ? id : sendOne(rooms, trip, { kind, id, isNew: true })
}

async function replace(rooms: Rooms, trip: Trip, at: At): Outcome {
  const body = await bodyOf(trip)
  if (isRefusal(body)) return body
  const asked = { id: at.id, isMeant: readIfMatch(trip.req), body }
  const id = await rooms[`${at.kind}s`].replace(trip.connection, asked)
  return isRefusal(id) ? id : sendOne(rooms, trip, at)
}

async function patch(rooms: Rooms, trip: Trip, at: At): Outcome {
  const body = await bodyOf(trip)
  if (isRefusal(body)) return body
  const operations = readOperations(body)
  if (isRefusal(operations)) return operations
  const asked = { id: at.id, isMeant: readIfMatch(trip.req), operations }
  const id = await rooms[`${at.kind}s`].patch(trip.connection, asked)
  return isRefusal(id) ? id : sendOne(rooms, trip, at)
}

async function remove(rooms: Rooms, trip: Trip, at: At): Outcome {
  const asked = { id: at.id, isMeant: readIfMatch(trip.req) }
  const id = await rooms[`${at.kind}s`].remove(trip.connection, asked)
  if (isRefusal(id)) return id
  send(trip.res, { status: 204 })
  return undefined
}

function notAllowed(res: ServerResponse, methods: readonly string[]): Refusal {
  res.setHeader('allow', methods.join(', '))
  return refuse(scimRefusals.methodMissing)
}

function answerKind(rooms: Rooms, trip: Trip, kind: Kind): Outcome {
  if (trip.req.method === 'GET') return list(rooms, trip, kind)
  if (trip.req.method === 'POST') return create(rooms, trip, kind)
  return Promise.resolve(notAllowed(trip.res, ['GET', 'POST']))
}

const onOne = { GET: sendOne, PUT: replace, PATCH: patch, DELETE: remove } as const

async function answerOne(rooms: Rooms, trip: Trip, at: At): Outcome {
  const { method = '' } = trip.req
  if (!Object.hasOwn(onOne, method)) return notAllowed(trip.res, Object.keys(onOne))
  if (!idShape.test(at.id)) return refuse(scimRefusals.resourceUnknown)
  return onOne[method as keyof typeof onOne](rooms, trip, at)
}

/** The answers by which a directory finds out what is offered; undefined for other paths. */
function described(base: string, path: string): Shown | undefined {
  if (path === '/ServiceProviderConfig') return serviceProviderConfig(base)
  const [, kind, id] = /^\/(ResourceTypes|Schemas)(?:\/([^/]{1,200}))?$/.exec(path) ?? []
  if (kind === undefined) return undefined
  const all = kind === 'Schemas' ? schemaList(base) : resourceTypes(base)
  if (id === undefined) return listOf({ total: all.length, resources: all }, 1)
  return all.find((one) => one['id'] === id)
}

async function answerPath(rooms: Rooms, trip: Trip, path: string, base: string): Outcome {
  const [, plural, id] = shape.exec(path) ?? []
  if (unsupported.test(path)) return refuse(scimRefusals.notSupported, { names: { what: path.slice(root.length) } })
  if (plural !== undefined) {
    const kind = plural === 'Users' ? 'User' : 'Group'
    return id === undefined ? answerKind(rooms, trip, kind) : answerOne(rooms, trip, { kind, id })
  }
  const body = described(base, path.slice(root.length))
  if (body === undefined) return refuse(scimRefusals.pathUnknown)
  if (trip.req.method !== 'GET') return notAllowed(trip.res, ['GET'])
  send(trip.res, { status: 200, body })
  return undefined
}

/** Answers below `/scim/v2`. */
export function createScimMount(parts: Parts, authenticateToken: AuthenticateToken): Mount {
  const authenticate = createAuthenticator(parts, authenticateToken)
  const rooms: Rooms = { search: createSearch(parts), Users: createUsers(parts), Groups: createGroups(parts) }

  async function turnAway(req: IncomingMessage, res: ServerResponse, visit: Visit, refused: Refused): Promise<void> {
    const { refusal, connection } = refused
    await parts.ledger.append(provisioningRefused, {
      exchange: visit.exchangeId,
      principal: connection?.actor,
      address: visit.address,
      outcome: 'refused',
      refusal: refusal.code,
      details: { method: req.method ?? '', path: visit.path.slice(0, 200), ...refusal.detail },
    })
    sendRefusal(res, refusal)
  }

  return {
    owns: (path) => path === root || path.startsWith(`${root}/`),
    async answer(req, res, visit) {
      const known = await authenticate(req.headers.authorization)
      if (isRefusal(known)) return turnAway(req, res, visit, { refusal: known })
      const connection = { ...known, address: visit.address, exchangeId: visit.exchangeId }
      const refusal = await answerPath(rooms, { req, res, connection }, visit.path, scimResource(parts))
      if (refusal !== undefined) await turnAway(req, res, visit, { refusal, connection })
    },
  }
}

interface Refused {
  readonly refusal: Refusal
  readonly connection?: Connection
}
