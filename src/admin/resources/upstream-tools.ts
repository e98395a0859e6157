import { isRefusal, refuse } from '#kernel'
import { upstreamRefusals, type SeenTool } from '#upstream'
import { z } from 'zod'
import { refusals } from '../refusals.ts'
import type { Rooms } from '../rooms.ts'
import { route } from '../route.ts'
import { flag, isoTime, isoTimeOrNull, listOf, moment, nameParams } from '../shapes.ts'

const reason = z.object({
  kind: z.string(),
  /** `note` is only shown, `word` has to be named in `despite`, `never` cannot be approved. */
  weight: z.enum(['note', 'word', 'never']),
  key: z.string(),
  says: z.string(),
})

const tool = z.object({
  upstream: z.string(),
  tool: z.string(),
  status: z.enum(['approved', 'new', 'changed', 'quarantined']),
  reasons: z.array(reason),
  definition: z.unknown(),
  seenHash: z.string(),
  seenAt: moment,
  approvedHash: z.string().nullable(),
  approvedAt: moment.nullable(),
  approvedBy: z.string().nullable(),
  /** The person's name today; null when there is no such person any more. */
  approvedByName: z.string().nullable(),
  approvedDespite: z.array(z.string()),
  quarantine: z.object({ at: moment, by: z.string(), note: z.string().nullable() }).nullable(),
})

const change = z.object({
  pointer: z.string(),
  kind: z.enum(['added', 'removed', 'changed']),
  from: z.unknown().optional(),
  to: z.unknown().optional(),
  words: z.array(z.object({ kind: z.enum(['same', 'removed', 'added']), text: z.string() })).optional(),
})

const difference = tool.extend({
  approvedDefinition: z.unknown(),
  changes: z.array(change),
  /** False when there are more changes than are told. */
  isComplete: z.boolean(),
})

type Names = ReadonlyMap<string, string>

async function namesOf(rooms: Rooms): Promise<Names> {
  return new Map((await rooms.identity.people.list()).map((person) => [person.id, person.name] as const))
}

function show(given: SeenTool, names: Names): z.infer<typeof tool> {
  const { quarantine } = given
  return {
    upstream: given.upstream,
    tool: given.tool,
    status: given.status,
    reasons: [...given.reasons],
    definition: given.definition,
    seenHash: given.seenHash,
    seenAt: isoTime(given.seenAt),
    approvedHash: given.approvedHash ?? null,
    approvedAt: isoTimeOrNull(given.approvedAt),
    approvedBy: given.approvedBy ?? null,
    approvedByName: names.get(given.approvedBy ?? '') ?? null,
    approvedDespite: [...(given.approvedDespite ?? [])],
    quarantine:
      quarantine === undefined
        ? null
        : { at: isoTime(quarantine.at), by: names.get(quarantine.by) ?? quarantine.by, note: quarantine.note ?? null },
  }
}

function showDifference(given: SeenTool, names: Names): z.infer<typeof difference> {
  const changes = (given.difference?.changes ?? []).map(({ words, ...rest }) => ({
    ...rest,
    ...(words === undefined ? {} : { words: [...words] }),
  }))
  return {
    ...show(given, names),
    approvedDefinition: given.approvedDefinition ?? null,
    changes,
    isComplete: given.difference?.isComplete ?? true,
  }
}

/** The refusal of an upstream that is not there; what changes one refuses it by itself. */
async function refuseUnknown({ upstreams: { catalog } }: Rooms, name: string) {
  await catalog.refresh()
  return catalog.find(name) === undefined ? refuse(upstreamRefusals.unknown, { names: { name } }) : undefined
}

async function showAll(rooms: Rooms, upstream: string) {
  const names = await namesOf(rooms)
  return { items: (await rooms.upstreams.pins.describe(upstream)).map((seen) => show(seen, names)) }
}

const review = route({
  method: 'POST',
  path: '/upstreams/:name/review',
  summary: 'ask the upstream for all its tools and compare them with what was approved',
  access: 'upstreams:write',
  params: nameParams,
  answer: listOf(tool),
  async handle({ rooms, principal, params }) {
    const seen = await rooms.upstreams.pins.review(params.name, principal)
    if (isRefusal(seen)) return seen
    const names = await namesOf(rooms)
    return { items: seen.map((one) => show(one, names)) }
  },
})

const tools = route({
  method: 'GET',
  path: '/upstreams/:name/tools',
  summary: 'the tools an upstream was seen to offer, which definitions are approved, and why the others are not',
  access: 'upstreams:read',
  params: nameParams,
  answer: listOf(tool),
  async handle({ rooms, params }) {
    return (await refuseUnknown(rooms, params.name)) ?? showAll(rooms, params.name)
  },
})

const differences = route({
  method: 'GET',
  path: '/upstreams/:name/differences',
  summary:
    'field by field, in what the tools that wait differ from what was approved; with `tool` of one, with `all` of each',
  access: 'upstreams:read',
  params: nameParams,
  query: z.strictObject({ tool: z.string().max(256).optional(), all: flag }),
  answer: listOf(difference),
  async handle({ rooms, params, query }) {
    const unknown = await refuseUnknown(rooms, params.name)
    if (unknown !== undefined) return unknown
    const seen = await rooms.upstreams.pins.describe(params.name)
    const meant = seen.filter((one) => {
      return query.tool === undefined ? query.all || one.status !== 'approved' : one.tool === query.tool
    })
    if (meant.length === 0 && query.tool !== undefined) return refuse(refusals.notFound, { names: { noun: 'tool' } })
    const names = await namesOf(rooms)
    return { items: meant.map((one) => showDifference(one, names)) }
  },
})

const toolName = z.string().min(1).max(256)
const chosenTools = z.union([z.literal('all'), z.array(toolName).min(1).max(1000)])
const judgement = z.strictObject({
  tools: chosenTools,
  /** Tool name to the `seenHash` that was looked at: a tool that changed since is not judged. */
  hashes: z.record(toolName, z.string().max(200)).optional(),
})

const approve = route({
  method: 'POST',
  path: '/upstreams/:name/tools/approve',
  summary: 'approve tool definitions as they were seen; `all` leaves out what needs a word of its own',
  access: 'upstreams:write',
  params: nameParams,
  body: judgement.extend({
    /** Tool name to the `key`s of the reasons that it is approved in spite of. */
    despite: z.record(toolName, z.array(z.string().max(400)).max(20)).optional(),
  }),
  answer: listOf(tool),
  async handle({ rooms, principal, params, body }) {
    const outcome = await rooms.upstreams.pins.approve({ upstream: params.name, by: principal, ...body })
    return isRefusal(outcome) ? outcome : showAll(rooms, params.name)
  },
})

const reject = route({
  method: 'POST',
  path: '/upstreams/:name/tools/reject',
  summary: 'reject tool definitions as they were seen; they stay hidden',
  access: 'upstreams:write',
  params: nameParams,
  body: judgement,
  answer: listOf(tool),
  async handle({ rooms, principal, params, body }) {
    const outcome = await rooms.upstreams.pins.reject({ upstream: params.name, by: principal, ...body })
    return isRefusal(outcome) ? outcome : showAll(rooms, params.name)
  },
})

const quarantine = route({
  method: 'POST',
  path: '/upstreams/:name/tools/quarantine',
  summary: 'withdraw the approval of tools at once, open calls included, until they are approved by name',
  access: 'upstreams:write',
  params: nameParams,
  body: z.strictObject({ tools: chosenTools, note: z.string().max(500).optional() }),
  answer: listOf(tool),
  async handle({ rooms, principal, params, body }) {
    const outcome = await rooms.upstreams.pins.quarantine({ upstream: params.name, by: principal, ...body })
    return isRefusal(outcome) ? outcome : showAll(rooms, params.name)
  },
})

/** What is done about the tools of one upstream. */
export const toolRoutes = [review, tools, differences, approve, reject, quarantine]
