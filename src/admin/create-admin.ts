import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { createId, refuse, type Refusal } from '#kernel'
import { admitRequest } from './admit-request.ts'
import { answerRoute } from './answer-route.ts'
import { adminRoutes } from './admin-routes.ts'
import { openApiDocument } from './openapi.ts'
import { pageFiles } from './pages/page-files.ts'
import { problemResponse } from './problem.ts'
import { readiness } from './readiness.ts'
import { recordFault, recordRefusal, type Occasion } from './record.ts'
import { refusals } from './refusals.ts'
import type { Rooms } from './rooms.ts'
import { securityHeaders } from './security-headers.ts'

/** The admin listener's handler: the control API, the set-up page and the health checks. */
export interface Admin {
  handler(incoming: IncomingMessage, outgoing: ServerResponse): void
}

type Env = { Bindings: HttpBindings; Variables: { requestId: string } }

const apiRoot = '/api/v1'

/** The client's address as the socket has it; an IPv4 client of a dual-stack socket is shown as IPv4. */
function addressOf(incoming: IncomingMessage): string {
  return (incoming.socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '')
}

function occasion(c: Context<Env>): Occasion {
  const incoming = c.env.incoming as IncomingMessage
  return {
    requestId: c.get('requestId'),
    address: addressOf(incoming),
    method: c.req.method,
    path: c.req.path,
  }
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header
}

function queryOf(url: string): Record<string, string[]> {
  const given = [...new URL(url).searchParams]
  const byName = Map.groupBy(given, ([name]) => name)
  return Object.fromEntries([...byName].map(([name, pairs]) => [name, pairs.map(([, value]) => value)]))
}

function isPagePath(path: string): boolean {
  return path === '/' || path === '/setup'
}

/** Headers, the request id and the refusal of foreign pages: for every path there is or is not. */
function addEntrance(app: Hono<Env>, rooms: Rooms): void {
  app.use(async (c, next) => {
    c.set('requestId', createId(rooms.clock.now()))
    const incoming = c.env.incoming as IncomingMessage
    const refusal = admitRequest({
      host: incoming.headers.host,
      origin: one(incoming.headers.origin),
      fetchSite: one(incoming.headers['sec-fetch-site']),
      fetchMode: one(incoming.headers['sec-fetch-mode']),
      localPort: incoming.socket.localPort ?? 0,
      publicUrl: rooms.config.admin.publicUrl,
      isPage: isPagePath(c.req.path) && incoming.method === 'GET',
    })
    if (refusal === undefined) await next()
    else c.res = await refuseRequest(c, rooms, refusal)
    for (const [name, value] of Object.entries(securityHeaders(isPagePath(c.req.path) ? 'page' : 'other')))
      c.res.headers.set(name, value)
    c.res.headers.set('x-request-id', c.get('requestId'))
  })
}

async function refuseRequest(
  c: Context<Env>,
  rooms: Rooms,
  refusal: Refusal,
  headers?: Record<string, string>,
): Promise<Response> {
  const answered = await recordRefusal(rooms, occasion(c), refusal)
  return problemResponse(answered, c.get('requestId'), headers)
}

/** Nothing is at this path. Below the API that is recorded; a browser asking for an icon is not. */
async function answerUnknown(c: Context<Env>, rooms: Rooms): Promise<Response> {
  const refusal = refuse(refusals.unknownRoute)
  if (c.req.path.startsWith(`${apiRoot}/`)) return refuseRequest(c, rooms, refusal)
  return problemResponse(refusal, c.get('requestId'))
}

function addPages(app: Hono<Env>, rooms: Rooms): void {
  app.get('/', (c) => c.redirect('/setup', 302))
  for (const [path, file] of pageFiles())
    app.get(path, () => new Response(file.bytes, { headers: { 'content-type': file.contentType } }))
  app.get('/livez', (c) => c.json({ status: 'live' }))
  app.get('/readyz', async (c) => {
    const state = await readiness(rooms)
    return c.json(state, state.status === 'ready' ? 200 : 503)
  })
  const document = openApiDocument(adminRoutes, rooms.version, apiRoot)
  app.get('/openapi.json', (c) => c.json(document))
}

function addRoutes(app: Hono<Env>, rooms: Rooms): void {
  const methods = new Map<string, string[]>()
  for (const route of adminRoutes) {
    const path = `${apiRoot}${route.path}`
    methods.set(path, [...(methods.get(path) ?? []), route.method])
    app.on(route.method, path, (c) =>
      answerRoute(rooms, route, {
        occasion: occasion(c),
        incoming: c.env.incoming as IncomingMessage,
        params: c.req.param(),
        query: queryOf(c.req.url),
        signal: c.req.raw.signal,
      }),
    )
  }
  for (const [path, allowed] of methods)
    app.all(path, (c) => refuseRequest(c, rooms, refuse(refusals.methodNotAllowed), { allow: allowed.join(', ') }))
}

/** Makes the admin listener's handler. It holds no state of its own: what it knows, the rooms keep. */
export function createAdmin(rooms: Rooms): Admin {
  const app = new Hono<Env>()
  addEntrance(app, rooms)
  addPages(app, rooms)
  addRoutes(app, rooms)
  app.notFound((c) => answerUnknown(c, rooms))
  app.onError(async (error, c) => problemResponse(await recordFault(rooms, occasion(c), error), c.get('requestId')))
  const listener = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    errorHandler: () => unreadable(rooms),
  })
  return { handler: (incoming, outgoing) => void listener(incoming, outgoing) }
}

/** The answer to a request line or `Host` that is not even a URL. */
function unreadable(rooms: Rooms): Response {
  return problemResponse(refuse(refusals.invalidRequest), createId(rooms.clock.now()), securityHeaders('other'))
}
