import { type Classification, effectClasses, isRefusal, refuse, sensitivities, type Principal } from '#kernel'
import { suggestClassification, upstreamRefusals, type SeenTool } from '#upstream'
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

const classification = z.strictObject({
  /** What a call does at worst. */
  effect: z.enum(effectClasses),
  /** How bad it is when what its answers hold gets out. */
  sensitivity: z.enum(sensitivities),
  /** Kinds of data that its answers hold. */
  dataClasses: z.array(z.string().max(40)).max(16),
  owner: z.string().max(100),
  /** Its answers may hold what strangers wrote. */
  bringsUntrusted: z.boolean(),
  /** What it is given can leave the company. */
  isOutlet: z.boolean(),
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
  /** What counts for rules: its own, else its server's, else the worst. */
  classification,
  /** What was said of the tool itself, be it of another definition than the approved one; null when nothing was. */
  classifiedAs: classification.nullable(),
  /** What its own annotations make one think of it; nothing goes by it. */
  suggestion: classification,
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

interface Shown {
  readonly names: ReadonlyMap<string, string>
  readonly classifications: Rooms['upstreams']['classifications']
}

/** A classification that can be written as JSON. */
function plain(given: Classification): z.infer<typeof classification> {
  return { ...given, dataClasses: [...given.dataClasses] }
}

async function shownBy({ identity, upstreams }: Rooms): Promise<Shown> {
  const people = await identity.people.list()
  const names = new Map(people.map((person) => [person.id, person.name] as const))
  return { names, classifications: upstreams.classifications }
}

function show(given: SeenTool, { names, classifications }: Shown): z.infer<typeof tool> {
  const { quarantine } = given
  const said = classifications.given(given.upstream, given.tool)
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
    classification: plain(classifications.of(given.upstream, given.tool)),
    classifiedAs: said === undefined ? null : plain(said.classification),
    suggestion: plain(suggestClassification(given.definition)),
    quarantine:
      quarantine === undefined
        ? null
        : { at: isoTime(quarantine.at), by: names.get(quarantine.by) ?? quarantine.by, note: quarantine.note ?? null },
  }
}

function showDifference(given: SeenTool, shown: Shown): z.infer<typeof difference> {
  const changes = (given.difference?.changes ?? []).map(({ words, ...rest }) => ({
    ...rest,
    ...(words === undefined ? {} : { words: [...words] }),
  }))
  return {
    ...show(given, shown),
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
  const shown = await shownBy(rooms)
  return { items: (await rooms.upstreams.pins.describe(upstream)).map((seen) => show(seen, shown)) }
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
    const shown = await shownBy(rooms)
    return { items: seen.map((one) => show(one, shown)) }
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
    const shown = await shownBy(rooms)
    return { items: meant.map((one) => showDifference(one, shown)) }
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
    /** Tool name to what the person says of it; a tool without one counts as its server does, or as the worst. */
    classifications: z.record(toolName, classification).optional(),
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

interface Classifying {
  readonly rooms: Rooms
  readonly principal: Principal
  readonly upstream: string
  readonly tools?: readonly string[]
  readonly classification: Classification
}

async function classifyAs({ rooms, principal: by, ...change }: Classifying) {
  return (await rooms.upstreams.classifications.set({ ...change, by })) ?? showAll(rooms, change.upstream)
}

const classifyTools = route({
  method: 'POST',
  path: '/upstreams/:name/tools/classify',
  summary: 'say what approved tools do at worst and what their answers hold; rules go by it at once',
  access: 'upstreams:write',
  params: nameParams,
  body: z.strictObject({ tools: z.array(toolName).min(1).max(1000), classification }),
  answer: listOf(tool),
  handle: ({ rooms, principal, params, body }) => classifyAs({ rooms, principal, upstream: params.name, ...body }),
})

const classifyServer = route({
  method: 'PUT',
  path: '/upstreams/:name/classification',
  summary: 'say it of a server as a whole: its resources, its prompts, and tools of which nothing else was said',
  access: 'upstreams:write',
  params: nameParams,
  body: classification,
  answer: listOf(tool),
  handle: ({ rooms, principal, params, body }) =>
    classifyAs({ rooms, principal, upstream: params.name, classification: body }),
})

/** What is done about the tools of one upstream. */
export const toolRoutes = [review, tools, differences, approve, reject, quarantine, classifyTools, classifyServer]
