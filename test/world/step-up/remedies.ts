import { isRefusal, type Principal, type Refusal } from '#kernel'
import type { AskedCall, Remedy } from '#policy'
import { createRemedies } from '../../../src/policy/remedies/create-remedies.ts'
import type { OpenDatabase } from '../databases.ts'
import { createTestSealer } from '../identity.ts'
import { addPerson, openPolicy } from '../policy.ts'

/** What rules ask for. */
export const approval: Remedy = {
  rule: 'f#a',
  kind: 'approval',
  approvers: { roles: ['lead'], count: 1 },
  withinMs: 900_000,
}
export const justification: Remedy = { rule: 'f#j', kind: 'justification', text: 'why?' }
export const consent: Remedy = { rule: 'f#c', kind: 'consent', text: 'to look', withinMs: 600_000 }

/** What was answered, no refusal. */
export function got<T>(answer: T | Refusal): T {
  if (isRefusal(answer)) throw new Error(answer.code)
  return answer as T
}

/** Remedies over an empty database: Ben asks, Lea and Max may approve; rules are written anew in `prints`. */
export async function openRemedies(open: OpenDatabase) {
  const world = await openPolicy(await open())
  const { database, clock } = world
  const sealer = createTestSealer()
  const prints = new Map<string, string>()
  const policy = {
    refresh: () => undefined,
    ruleFingerprint: (rule: string) => prints.get(rule) ?? `print of ${rule}`,
  }
  const make = (other = database) => createRemedies({ ...world, database: other, sealer, policy })
  const remedies = make()
  const ben = await addPerson(database, clock, 'ben')
  const lea = await addPerson(database, clock, 'lea', 'lead')
  const max = await addPerson(database, clock, 'max', 'lead')
  const call = (more: Partial<AskedCall> = {}): AskedCall => ({
    principal: ben,
    target: { upstream: 'bank', kind: 'tool', name: 'pay' },
    permission: 'tools:call',
    hash: 'h'.repeat(43),
    text: '{"arguments":{"amount":10}}',
    snapshot: 1,
    remedies: [approval],
    ...more,
  })
  const say = (principal: Principal) => ({ principal, said: 'checked' })
  const events = async () => (await world.ledger.read({ limit: 500 })).map(({ event }) => event)
  const entries = (event: string) => world.ledger.read({ event })
  return { ...world, sealer, remedies, make, prints, ben, lea, max, call, say, events, entries }
}

/** The code of a refusal. */
export const code = (answer: unknown) => (isRefusal(answer) ? answer.code : 'given')
