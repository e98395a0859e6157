import { isRefusal, refuse } from '#kernel'
import type { Pin } from '#upstream'
import { z } from 'zod'
import { refusals } from '../refusals.ts'
import type { Rooms } from '../rooms.ts'
import { route } from '../route.ts'
import { done, isoTimeOrNull, listOf, moment, nameParams, nameText } from '../shapes.ts'

const upstream = z.object({
  name: z.string(),
  transport: z.enum(['stdio', 'http']),
  command: z.array(z.string()).nullable(),
  url: z.string().nullable(),
  /** Names only: values may be credentials. */
  environmentNames: z.array(z.string()),
  isDemo: z.boolean(),
})

const pin = z.object({
  upstream: z.string(),
  tool: z.string(),
  status: z.enum(['approved', 'new', 'changed']),
  definition: z.unknown(),
  seenHash: z.string(),
  approvedHash: z.string().nullable(),
  approvedAt: moment.nullable(),
  approvedBy: z.string().nullable(),
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

function showPin(given: Pin): z.infer<typeof pin> {
  return {
    upstream: given.upstream,
    tool: given.tool,
    status: given.status,
    definition: given.definition,
    seenHash: given.seenHash,
    approvedHash: given.approvedHash ?? null,
    approvedAt: isoTimeOrNull(given.approvedAt),
    approvedBy: given.approvedBy ?? null,
  }
}

async function refuseUnknown(rooms: Rooms, name: string) {
  await rooms.upstreams.catalog.refresh()
  return rooms.upstreams.catalog.find(name) === undefined
    ? refuse(refusals.notFound, { names: { noun: 'upstream' } })
    : undefined
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
    const unknown = await refuseUnknown(rooms, params.name)
    if (unknown !== undefined) return unknown
    const outcome = await rooms.upstreams.catalog.remove(params.name, principal)
    return isRefusal(outcome) ? outcome : { done: true as const }
  },
})

const review = route({
  method: 'POST',
  path: '/upstreams/:name/review',
  summary: 'ask the upstream for all its tools and compare them with what was approved',
  access: 'upstreams:write',
  params: nameParams,
  answer: listOf(pin),
  async handle({ rooms, principal, params }) {
    const unknown = await refuseUnknown(rooms, params.name)
    if (unknown !== undefined) return unknown
    const pins = await rooms.upstreams.pins.review(params.name, principal)
    return isRefusal(pins) ? pins : { items: pins.map(showPin) }
  },
})

const tools = route({
  method: 'GET',
  path: '/upstreams/:name/tools',
  summary: 'the tools an upstream was seen to offer, and which definitions are approved',
  access: 'upstreams:read',
  params: nameParams,
  answer: listOf(pin),
  async handle({ rooms, params }) {
    const unknown = await refuseUnknown(rooms, params.name)
    return unknown ?? { items: rooms.upstreams.pins.list(params.name).map(showPin) }
  },
})

const chosenTools = z.union([z.literal('all'), z.array(nameText).min(1).max(1000)])

function judge(verb: 'approve' | 'reject', summary: string) {
  return route({
    method: 'POST',
    path: `/upstreams/:name/tools/${verb}`,
    summary,
    access: 'upstreams:write',
    params: nameParams,
    body: z.strictObject({
      tools: chosenTools,
      /** Tool name to the `seenHash` that was looked at: a tool that changed since is not judged. */
      hashes: z.record(nameText, z.string().max(200)).optional(),
    }),
    answer: listOf(pin),
    async handle({ rooms, principal, params, body }) {
      const unknown = await refuseUnknown(rooms, params.name)
      if (unknown !== undefined) return unknown
      const outcome = await rooms.upstreams.pins[verb]({
        upstream: params.name,
        tools: body.tools,
        by: principal,
        ...(body.hashes === undefined ? {} : { hashes: body.hashes }),
      })
      return isRefusal(outcome) ? outcome : { items: outcome.map(showPin) }
    },
  })
}

const approve = judge('approve', 'approve tool definitions as they were seen')
const reject = judge('reject', 'reject tool definitions as they were seen; they stay hidden')

export const upstreamRoutes = [list, add, remove, review, tools, approve, reject]
