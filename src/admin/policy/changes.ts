import { isRefusal, refuse } from '#kernel'
import { cedarSchema } from '#policy'
import { z } from 'zod'
import { refusals } from '../refusals.ts'
import { route } from '../route.ts'
import { idParams, listOf, longText } from '../shapes.ts'
import { checked, draft, maxFolderBytes, showChecked, showDraft } from './changes-views.ts'

/** A policy folder, as a body holds it. */
export const policyFolder = {
  files: z.array(z.strictObject({ path: z.string().min(1).max(300), text: z.string() })).max(1_000),
  prune: z.boolean().default(false),
}
const hash = z.string().regex(/^[0-9a-f]{64}$/, 'expected the hash of the draft')
const note = longText.default('')

const schema = route({
  method: 'GET',
  path: '/policy/schema',
  summary: 'the Cedar schema that policies are written against',
  access: 'roles:read',
  answer: z.object({ cedar: z.string() }),
  handle: async () => ({ cedar: cedarSchema }),
})

const check = route({
  method: 'POST',
  path: '/policy/check',
  summary: 'what publishing a policy folder would change, and what lint and tests say of it; nothing is kept',
  access: 'roles:read',
  maxBodyBytes: maxFolderBytes,
  body: z.strictObject(policyFolder),
  answer: checked.extend({ isFourEyes: z.boolean() }),
  async handle({ rooms, allow, body: { files, prune } }) {
    const { changes } = rooms.policy
    const isReader = allow('roles:write') !== undefined
    const found = await changes.drafts.check({ files, isPruning: prune, isReader })
    if (isRefusal(found)) return found
    return { ...showChecked(found), isFourEyes: changes.isFourEyes() }
  },
})

const list = route({
  method: 'GET',
  path: '/policy/drafts',
  summary: 'drafts of the policy, the newest first',
  access: 'roles:read',
  answer: listOf(draft),
  async handle({ rooms }) {
    const drafts = await rooms.policy.changes.drafts.list()
    return { items: await Promise.all(drafts.map((one) => showDraft(rooms, one))) }
  },
})

const show = route({
  method: 'GET',
  path: '/policy/drafts/:id',
  summary: 'one draft, with what it changes of the policy in force',
  access: 'roles:read',
  params: idParams,
  answer: z.object({ draft, now: checked, isFourEyes: z.boolean() }),
  async handle({ rooms, params }) {
    const found = await rooms.policy.changes.drafts.find(params.id)
    if (found === undefined) return refuse(refusals.notFound, { names: { noun: 'draft' } })
    const { isFourEyes } = found
    return { draft: await showDraft(rooms, found.draft), now: showChecked(found), isFourEyes }
  },
})

const make = route({
  method: 'POST',
  path: '/policy/drafts',
  summary: 'make a draft of a policy folder, on top of the policy in force',
  access: 'roles:write',
  status: 201,
  maxBodyBytes: maxFolderBytes,
  body: z.strictObject({ ...policyFolder, note }),
  answer: draft,
  async handle({ rooms, principal, body }) {
    const { files, prune, note: said } = body
    const made = await rooms.policy.changes.drafts.make({ files, isPruning: prune, note: said, by: principal })
    return isRefusal(made) ? made : showDraft(rooms, made)
  },
})

const edit = route({
  method: 'PUT',
  path: '/policy/drafts/:id',
  summary: 'replace what a draft says, on top of the policy in force at this moment',
  access: 'roles:write',
  params: idParams,
  maxBodyBytes: maxFolderBytes,
  body: z.strictObject(policyFolder),
  answer: draft,
  async handle({ rooms, principal, params, body: { files, prune } }) {
    const change = { id: params.id, files, isPruning: prune, by: principal }
    const edited = await rooms.policy.changes.drafts.edit(change)
    return isRefusal(edited) ? edited : showDraft(rooms, edited)
  },
})

const propose = route({
  method: 'POST',
  path: '/policy/drafts/:id/propose',
  summary: 'hand a draft to a second person; lint and tests have to pass',
  access: 'roles:write',
  params: idParams,
  body: z.strictObject({ hash, acceptWarnings: z.boolean().default(false) }),
  answer: draft,
  async handle({ rooms, principal, params, body }) {
    const asked = { id: params.id, hash: body.hash, mayWarn: body.acceptWarnings, by: principal }
    const proposed = await rooms.policy.changes.drafts.propose(asked)
    return isRefusal(proposed) ? proposed : showDraft(rooms, proposed)
  },
})

const publish = route({
  method: 'POST',
  path: '/policy/drafts/:id/publish',
  summary: 'put a draft in force on every node; with four eyes by another person than those who worked on it',
  access: 'roles:write',
  params: idParams,
  body: z.strictObject({ hash, acceptWarnings: z.boolean().default(false), note }),
  answer: z.object({ version: z.number(), hash: z.string(), acceptedWarnings: z.array(z.string()) }),
  async handle({ rooms, principal, params, body }) {
    const asked = { id: params.id, hash: body.hash, mayWarn: body.acceptWarnings, note: body.note, by: principal }
    const published = await rooms.policy.changes.publish(asked)
    if (isRefusal(published)) return published
    const { version, hash: written } = published.snapshot
    return { version, hash: written, acceptedWarnings: [...published.accepted] }
  },
})

const abandon = route({
  method: 'POST',
  path: '/policy/drafts/:id/abandon',
  summary: 'give a draft up, or turn it down',
  access: 'roles:write',
  params: idParams,
  body: z.strictObject({ note }),
  answer: draft,
  async handle({ rooms, principal, params, body }) {
    const abandoned = await rooms.policy.changes.drafts.abandon({ id: params.id, note: body.note, by: principal })
    return isRefusal(abandoned) ? abandoned : showDraft(rooms, abandoned)
  },
})

export const policyChangeRoutes = [schema, check, list, show, make, edit, propose, publish, abandon]
