import { isRefusal } from '#kernel'
import { z } from 'zod'
import type { Rooms } from '../rooms.ts'
import { route } from '../route.ts'
import { done, listOf, nameParams, nameText } from '../shapes.ts'
import { toolRoutes } from './upstream-tools.ts'

const upstream = z.object({
  name: z.string(),
  transport: z.enum(['stdio', 'http']),
  command: z.array(z.string()).nullable(),
  url: z.string().nullable(),
  /** Names only: values may be credentials. */
  environmentNames: z.array(z.string()),
  isDemo: z.boolean(),
})

type Record = NonNullable<ReturnType<Rooms['upstreams']['catalog']['find']>>

function showUpstream(found: Record): z.infer<typeof upstream> {
  return {
    name: found.name,
    transport: found.transport,
    command: found.command === undefined ? null : [...found.command],
    // WHY: a query may carry a credential of the upstream.
    url: found.url?.replace(/\?.*$/s, '?…') ?? null,
    environmentNames: Object.keys(found.environment),
    isDemo: found.isDemo,
  }
}

const list = route({
  method: 'GET',
  path: '/upstreams',
  summary: 'every MCP server behind the gateway',
  access: 'upstreams:read',
  answer: listOf(upstream),
  async handle({ rooms }) {
    await rooms.upstreams.catalog.refresh()
    return { items: rooms.upstreams.catalog.list().map(showUpstream) }
  },
})

const add = route({
  method: 'POST',
  path: '/upstreams',
  summary: 'put an MCP server behind the gateway: an argument vector to start, or a URL',
  access: 'upstreams:write',
  status: 201,
  body: z.strictObject({
    name: nameText,
    command: z.array(z.string().max(4096)).min(1).max(100).optional(),
    url: z.string().max(2048).optional(),
    environment: z.record(z.string().max(200), z.string().max(8192)).optional(),
  }),
  answer: upstream,
  async handle({ rooms, principal, body }) {
    const { name, command, url, environment } = body
    const added = await rooms.upstreams.catalog.add({
      name,
      by: principal,
      ...(command === undefined ? {} : { command }),
      ...(url === undefined ? {} : { url }),
      ...(environment === undefined ? {} : { environment }),
    })
    return isRefusal(added) ? added : showUpstream(added)
  },
})

const remove = route({
  method: 'DELETE',
  path: '/upstreams/:name',
  summary: 'remove an upstream with its approvals; its processes end',
  access: 'upstreams:write',
  params: nameParams,
  answer: done,
  async handle({ rooms, principal, params }) {
    const outcome = await rooms.upstreams.catalog.remove(params.name, principal)
    return isRefusal(outcome) ? outcome : { done: true as const }
  },
})

export const upstreamRoutes = [list, add, remove, ...toolRoutes]
