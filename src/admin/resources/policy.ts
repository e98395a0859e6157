import { refuse, type Principal, type Target } from '#kernel'
import { z } from 'zod'
import { refusals } from '../refusals.ts'
import { route } from '../route.ts'
import { nameText } from '../shapes.ts'
import { permissionText } from './roles.ts'

const kinds = { tools: 'tool', resources: 'resource', prompts: 'prompt' } as const

/** `castellan`, `<upstream>` or `<upstream>/<tools|resources|prompts>/<name>`, as roles write it. */
const targetText = z
  .string()
  .max(500)
  .regex(/^[^/]+(\/(tools|resources|prompts)\/.+)?$/, 'write castellan, an upstream, or upstream/tools/name')

function targetOf(text: string): Target | 'castellan' {
  if (text === 'castellan') return text
  const [upstream = '', kind, ...rest] = text.split('/')
  if (kind === 'tools' || kind === 'resources' || kind === 'prompts')
    return { upstream, kind: kinds[kind], name: rest.join('/') }
  return { upstream, kind: 'server' }
}

const snapshot = route({
  method: 'GET',
  path: '/policy/snapshot',
  summary: 'the rules in force, as Cedar text',
  access: 'roles:read',
  answer: z.object({ version: z.number(), hash: z.string(), cedar: z.string() }),
  handle: async ({ rooms }) => rooms.policy.snapshot(),
})

const decide = route({
  method: 'GET',
  path: '/policy/decide',
  summary: 'may this person do this, and why',
  access: 'roles:read',
  query: z.strictObject({ person: nameText, permission: permissionText, target: targetText }),
  answer: z.object({
    isAllowed: z.boolean(),
    reasons: z.array(z.object({ rule: z.string(), says: z.string() })).readonly(),
    snapshotVersion: z.number(),
    /** What would turn the denial into an allowance. */
    remedy: z.literal('step-up').optional(),
    hold: z.string().nullable(),
  }),
  async handle({ rooms, query }) {
    const person = await rooms.identity.people.find(query.person)
    if (person === undefined) return refuse(refusals.notFound, { names: { noun: 'person' } })
    const principal: Principal = {
      id: person.id,
      name: person.name,
      roles: await rooms.policy.roles.of(person.id),
      factors: [],
      credential: { kind: 'session', id: 'none', expiresAt: 0 },
    }
    const target = targetOf(query.target)
    const decision = rooms.policy.decide(principal, query.permission, target)
    const hold = rooms.policy.findHold({ personId: person.id, ...(target === 'castellan' ? {} : { target }) })
    return { ...decision, hold: hold?.id ?? null }
  },
})

export const policyRoutes = [snapshot, decide]
