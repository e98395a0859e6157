import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { createId, refuse, type Refusal } from '#kernel'
import { clientAddressOf } from '#platform/http'
import { answerRoute } from './answer-route.ts'
import { adminRoutes } from './admin-routes.ts'
import { createDoorway, isPagePath } from './entrance/doorway.ts'
import { openApiDocument } from './openapi.ts'
import { pageFiles } from './pages/page-files.ts'
import { answerHealth, checkRooms, healthPaths } from './operations/health.ts'
import { admitReader, metricsPage } from './operations/metrics-page.ts'
import { watchReviews } from './policy/reviews-watch.ts'
import { problemResponse } from './problem.ts'
import { recordFault, recordRefusal, type Occasion } from './record.ts'
import { refusals } from './refusals.ts'
import type { Rooms } from './rooms.ts'
import { securityHeaders } from './security-headers.ts'

/** The admin listener's handler: the control API, the set-up page and the health checks. */
export interface Admin {
  handler(incoming: IncomingMessage, outgoing: ServerResponse): void
  close(): void
}

type Env = { Bindings: HttpBindings; Variables: { requestId: string } }

const apiRoot = '/api/v1'

function occasion(c: Context<Env>, rooms: Rooms): Occasion {
  const incoming = c.env.incoming as IncomingMessage
  return {
    requestId: c.get('requestId'),
    address: clientAddressOf(incoming, rooms.admission.current.trustedProxies),
    method: c.req.method,
    path: c.req.path,
  }
}

function queryOf(url: string): Record<string, string[]> {
  const given = [...new URL(url).searchParams]
  const byName = Map.groupBy(given, ([name]) => name)
  return Object.fromEntries([...byName].map(([name, pairs]) => [name, pairs.map(([, value]) => value)]))
}

/** Headers and the request id: for every path there is or is not. */
function addEntrance(app: Hono<Env>, rooms: Rooms): void {
  app.use(async (c, next) => {
    c.set('requestId', createId(rooms.clock.now()))
    await next()
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
  const answered = await recordRefusal(rooms, occasion(c, rooms), refusal)
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
  const document = openApiDocument(adminRoutes, rooms.version, apiRoot)
  app.get('/openapi.json', (c) => c.json(document))
  app.get('/.well-known/oauth-protected-resource', (c) => c.json(rooms.identity.terminals.metadata()))
}

function addRoutes(app: Hono<Env>, rooms: Rooms): void {
  const methods = new Map<string, string[]>()
  for (const route of adminRoutes) {
    const path = `${apiRoot}${route.path}`
    methods.set(path, [...(methods.get(path) ?? []), route.method])
    app.on(route.method, path, (c) =>
      answerRoute(rooms, route, {
        occasion: occasion(c, rooms),
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

/** What machines ask: is it alive, may traffic be sent here, what did it count. */
function addOperations(app: Hono<Env>, rooms: Rooms): void {
  const asked = (c: Context<Env>) => ({
    authorization: c.req.header('authorization'),
    address: occasion(c, rooms).address,
  })
  for (const path of healthPaths)
    app.get(path, (c) => answerHealth(rooms, { ...asked(c), path, isVerbose: c.req.query('verbose') !== undefined }))
  app.get('/metrics', async (c) => {
    const { refusal, principal } = await admitReader(rooms, asked(c))
    if (refusal === undefined) return metricsPage(rooms)
    return problemResponse(await recordRefusal(rooms, occasion(c, rooms), refusal, principal), c.get('requestId'))
  })
}

/** Makes the admin listener's handler. It holds no state of its own: what it knows, the rooms keep. */
export function createAdmin(rooms: Rooms): Admin {
  const app = new Hono<Env>()
  const doorway = createDoorway(rooms)
  const endWatch = watchReviews(rooms)
  checkRooms(rooms.telemetry.health, rooms)
  addEntrance(app, rooms)
  addPages(app, rooms)
  addOperations(app, rooms)
  addRoutes(app, rooms)
  app.notFound((c) => answerUnknown(c, rooms))
  app.onError(async (error, c) =>
    problemResponse(await recordFault(rooms, occasion(c, rooms), error), c.get('requestId')),
  )
  const listener = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    errorHandler: () => unreadable(rooms),
  })
  return {
    handler(incoming, outgoing) {
      if (doorway.pass(incoming, outgoing)) void listener(incoming, outgoing)
    },
    close() {
      endWatch()
      doorway.close()
    },
  }
}

/** The answer to a request line or `Host` that is not even a URL. */
function unreadable(rooms: Rooms): Response {
  return problemResponse(refuse(refusals.invalidRequest), createId(rooms.clock.now()), securityHeaders('other'))
}
