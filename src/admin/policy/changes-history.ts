import { isRefusal } from '#kernel'
import { z } from 'zod'
import { route } from '../route.ts'
import { isoTime, listOf, longText, moment } from '../shapes.ts'
import { draft, item, namePerson, showCameFrom, showDraft, showItems } from './changes-views.ts'

const version = z.coerce.number().int().min(1)
const past = z.object({
  version: z.number(),
  hash: z.string(),
  createdAt: moment,
  author: z.string().nullable(),
  publisher: z.string().nullable(),
  note: z.string(),
  cameFrom: z.object({ kind: z.string() }).loose().nullable(),
})

const history = route({
  method: 'GET',
  path: '/policy/history',
  summary: 'the newest 100 snapshots, newest first; `before` a version for older ones',
  access: 'roles:read',
  query: z.strictObject({ before: version.exactOptional() }),
  answer: listOf(past),
  async handle({ rooms, query }) {
    const found = await rooms.policy.changes.history(query.before)
    const name = async (id: string | null | undefined) =>
      id === null || id === undefined ? null : (await namePerson(rooms, id)).name
    const items = found.map(async ({ document, createdAt, createdBy, ...rest }) => ({
      ...rest,
      createdAt: isoTime(createdAt),
      author: await name(document?.author),
      publisher: await name(createdBy),
      note: document?.note ?? '',
      cameFrom: document === undefined ? null : showCameFrom(document.cameFrom),
    }))
    return { items: await Promise.all(items) }
  },
})

const file = z.object({ name: z.string(), text: z.string() })

const show = route({
  method: 'GET',
  path: '/policy/snapshots/:version',
  summary: 'one snapshot: its rules as Cedar text, and the files and tests it was made from',
  access: 'roles:read',
  params: z.strictObject({ version }),
  answer: z.object({
    version: z.number(),
    hash: z.string(),
    cedar: z.string(),
    files: z.array(file),
    tests: z.array(file),
    /** Null where what it was made from is not on record. */
    note: z.string().nullable(),
  }),
  async handle({ rooms, params }) {
    const found = await rooms.policy.changes.find(params.version)
    if (isRefusal(found)) return found
    const { document, ...snapshot } = found
    const files = document?.files.map((one) => ({ ...one })) ?? []
    const tests = document?.tests.map((one) => ({ ...one })) ?? []
    return { ...snapshot, files, tests, note: document?.note ?? null }
  },
})

const diff = route({
  method: 'GET',
  path: '/policy/diff',
  summary: 'what a snapshot differs in from another',
  access: 'roles:read',
  query: z.strictObject({ from: version, to: version }),
  answer: listOf(item),
  async handle({ rooms, query }) {
    const found = await rooms.policy.changes.diff(query.from, query.to)
    return isRefusal(found) ? found : { items: showItems(found) }
  },
})

const back = z.strictObject({ version: z.number().int().min(1), note: longText.default('') })

const rollBack = route({
  method: 'POST',
  path: '/policy/rollback',
  summary: 'make a draft of what an older snapshot said',
  access: 'roles:write',
  status: 201,
  body: back,
  answer: draft,
  async handle({ rooms, principal, body }) {
    const made = await rooms.policy.changes.rollBack({ ...body, by: principal })
    return isRefusal(made) ? made : showDraft(rooms, made)
  },
})

const rollBackNow = route({
  method: 'POST',
  path: '/policy/rollback-now',
  summary: 'take the last change of the policy back at once, without lint, tests or a second person',
  access: 'roles:write',
  body: back,
  answer: z.object({ version: z.number(), hash: z.string() }),
  async handle({ rooms, principal, body }) {
    const snapshot = await rooms.policy.changes.rollBackNow({ ...body, by: principal })
    return isRefusal(snapshot) ? snapshot : { version: snapshot.version, hash: snapshot.hash }
  },
})

export const policyHistoryRoutes = [history, show, diff, rollBack, rollBackNow]
