import { isRefusal, refuse } from '#kernel'
import { type Budget, budgetKinds, budgetMeters, budgetPeriods } from '#policy'
import { z } from 'zod'
import { refusals } from '../refusals.ts'
import { route } from '../route.ts'
import { done, idParams, isoTime, listOf, moment } from '../shapes.ts'

const subjectText = z.string().min(1).max(500)

const budget = z.object({
  id: z.string(),
  kind: z.enum(budgetKinds),
  /** Person id or `*`, role, `<upstream>/<tool>`, upstream or bundle. */
  subject: z.string(),
  meter: z.enum(budgetMeters),
  period: z.enum(budgetPeriods),
  amount: z.number(),
  setAt: moment,
  setBy: z.string(),
})

const state = budget.extend({
  startsAt: moment,
  endsAt: moment,
  /** What nodes took out of it in this window; with a holder where each principal has its own count. */
  taken: z.array(z.object({ holder: z.string(), taken: z.number() })),
})

function show(given: Budget): z.infer<typeof budget> {
  return { ...given, setAt: isoTime(given.setAt) }
}

const list = route({
  method: 'GET',
  path: '/budgets',
  summary: 'every budget',
  access: 'roles:read',
  answer: listOf(budget),
  handle: async ({ rooms }) => ({ items: (await rooms.policy.budgets.list()).map(show) }),
})

const one = route({
  method: 'GET',
  path: '/budgets/:id',
  summary: 'one budget, with what was taken out of it in its window',
  access: 'roles:read',
  params: idParams,
  answer: state,
  async handle({ rooms, params }) {
    const found = await rooms.policy.budgets.show(params.id)
    if (isRefusal(found)) return found
    const { window, taken, ...rest } = found
    return { ...show(rest), startsAt: isoTime(window.startsAt), endsAt: isoTime(window.endsAt), taken: [...taken] }
  },
})

const set = route({
  method: 'PUT',
  path: '/budgets',
  summary: 'make a budget, or change the amount of the one there is on this subject, meter and period',
  access: 'roles:write',
  body: z.strictObject({
    kind: budget.shape.kind,
    subject: subjectText,
    meter: budget.shape.meter,
    period: budget.shape.period,
    amount: z.number(),
  }),
  answer: budget,
  async handle({ rooms, principal, body }) {
    const isPerson = body.kind === 'principal' && body.subject !== '*'
    const { people, serviceAccounts } = rooms.identity
    const found = isPerson
      ? ((await people.find(body.subject)) ?? (await serviceAccounts.find(body.subject)))
      : undefined
    if (isPerson && found === undefined) return refuse(refusals.notFound, { names: { noun: 'person' } })
    const made = await rooms.policy.budgets.set({ ...body, subject: found?.id ?? body.subject, by: principal })
    return isRefusal(made) ? made : show(made)
  },
})

const remove = route({
  method: 'DELETE',
  path: '/budgets/:id',
  summary: 'remove a budget',
  access: 'roles:write',
  params: idParams,
  answer: done,
  async handle({ rooms, principal, params }) {
    const removed = await rooms.policy.budgets.remove(params.id, principal)
    return isRefusal(removed) ? removed : { done: true as const }
  },
})

const cost = z.object({ tool: z.string(), units: z.number() })

const costs = route({
  method: 'GET',
  path: '/tool-costs',
  summary: 'what calls of tools cost, where it is not one unit',
  access: 'roles:read',
  answer: listOf(cost),
  handle: async ({ rooms }) => ({ items: await rooms.policy.budgets.costs() }),
})

const setCost = route({
  method: 'PUT',
  path: '/tool-costs',
  summary: 'say how many units one call of a tool costs',
  access: 'roles:write',
  body: z.strictObject({ tool: subjectText, units: z.number() }),
  answer: cost,
  handle: ({ rooms, principal, body }) => rooms.policy.budgets.setCost({ ...body, by: principal }),
})

export const budgetRoutes = [list, one, set, remove, costs, setCost]
