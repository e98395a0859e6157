import { isRefusal } from '#kernel'
import type { Bundle } from '#upstream'
import { z } from 'zod'
import { route } from '../route.ts'
import { done, isoTime, listOf, moment, nameParams, nameText } from '../shapes.ts'

const bundle = z.object({
  name: z.string(),
  /** In the order in which their tools are listed. */
  upstreams: z.array(z.string()),
  createdAt: moment,
  createdBy: z.string().nullable(),
})

function show({ name, upstreams, createdAt, createdBy }: Bundle): z.infer<typeof bundle> {
  return { name, upstreams: [...upstreams], createdAt: isoTime(createdAt), createdBy: createdBy ?? null }
}

const list = route({
  method: 'GET',
  path: '/bundles',
  summary: 'every bundle: upstreams that answer together at one address',
  access: 'upstreams:read',
  answer: listOf(bundle),
  async handle({ rooms }) {
    await rooms.upstreams.bundles.refresh()
    return { items: rooms.upstreams.bundles.list().map(show) }
  },
})

const add = route({
  method: 'POST',
  path: '/bundles',
  summary: 'let upstreams answer together at `/bundles/<name>/mcp`; it grants nobody anything',
  access: 'upstreams:write',
  status: 201,
  body: z.strictObject({ name: nameText, upstreams: z.array(nameText).min(1).max(200) }),
  answer: bundle,
  async handle({ rooms, principal, body }) {
    const added = await rooms.upstreams.bundles.add({ ...body, by: principal })
    return isRefusal(added) ? added : show(added)
  },
})

const remove = route({
  method: 'DELETE',
  path: '/bundles/:name',
  summary: 'remove a bundle; its upstreams stay, and what listens at its address is ended',
  access: 'upstreams:write',
  params: nameParams,
  answer: done,
  async handle({ rooms, principal, params }) {
    const removed = await rooms.upstreams.bundles.remove(params.name, principal)
    return isRefusal(removed) ? removed : { done: true as const }
  },
})

export const bundleRoutes = [list, add, remove]
