import { z } from 'zod'
import { reloadConfig } from '../operations/reload-config.ts'
import { route } from '../route.ts'

const reload = route({
  method: 'POST',
  path: '/config/reload',
  summary: 'read the configuration of this process again and apply what can change while it runs',
  access: 'config:write',
  answer: z.object({
    outcome: z.enum(['applied', 'unchanged', 'refused']),
    changed: z.array(z.string()).readonly(),
    needRestart: z.array(z.string()).readonly(),
    problem: z.string().nullable(),
    hint: z.string().nullable(),
  }),
  async handle({ rooms, principal, requestId, address }) {
    const { problem, hint, ...result } = await reloadConfig(rooms, { principal, requestId, address })
    return { ...result, problem: problem ?? null, hint: hint ?? null }
  },
})

export const configRoutes = [reload]
