import { type Factor, refuse, type Principal, type Refusal, type Target } from '#kernel'
import type { Circumstances, Explanation } from '#policy'
import { isObject, readJson } from '#protocol'
import { z } from 'zod'
import { invalid } from '../read-fields.ts'
import { refusals } from '../refusals.ts'
import type { Rooms } from '../rooms.ts'
import { momentInput } from '../shapes.ts'

const kinds = { tools: 'tool', resources: 'resource', prompts: 'prompt' } as const

/** `castellan`, `<upstream>` or `<upstream>/<tools|resources|prompts>/<name>`, as roles write it. */
export const targetText = z
  .string()
  .max(500)
  .regex(/^[^/]+(\/(tools|resources|prompts)\/.+)?$/, 'write castellan, an upstream, or upstream/tools/name')

export function targetOf(text: string): Target | 'castellan' {
  if (text === 'castellan') return text
  const [upstream = '', kind, ...rest] = text.split('/')
  if (kind === 'tools' || kind === 'resources' || kind === 'prompts')
    return { upstream, kind: kinds[kind], name: rest.join('/') }
  return { upstream, kind: 'server' }
}

/** What a question may tell besides whom and what; what it does not tell is unknown. */
export const circumstanceFields = {
  /** A JSON object. */
  arguments: z.string().max(16_384).optional(),
  address: z.union([z.ipv4(), z.ipv6()]).optional(),
  at: momentInput.optional(),
  /** Proved at that moment, separated by commas. */
  factors: z
    .string()
    .regex(/^[a-z-]+(,[a-z-]+)*$/, 'write factors such as password,totp')
    .optional(),
  /** What clients of the person have met, separated by commas; none unless told. */
  labels: z
    .string()
    .max(2_048)
    .regex(/^[^,\s]+(,[^,\s]+)*$/, 'write labels such as untrusted,sensitivity:secret')
    .optional(),
  /** A JSON array of purposes that the person has consented to; none unless told. */
  consents: z.string().max(4_096).optional(),
}

export interface ToldCircumstances {
  readonly arguments?: string | undefined
  readonly address?: string | undefined
  readonly at?: number | undefined
  readonly factors?: string | undefined
  readonly labels?: string | undefined
  readonly consents?: string | undefined
}

/** Circumstances as policy takes them, or the refusal of what is no JSON object or array. */
export function circumstancesOf(told: ToldCircumstances): Circumstances | Refusal {
  const { arguments: text, address, at, labels } = told
  const purposes = readPurposes(told.consents)
  if (purposes === undefined)
    return invalid([{ pointer: '#/query/consents', detail: 'expected a JSON array of texts' }])
  const around = {
    flow: new Set(labels?.split(',')),
    consents: new Set(purposes),
    ...(address !== undefined && { address }),
    ...(at !== undefined && { at }),
  }
  if (text === undefined) return around
  const callArguments = readArguments(text)
  if (callArguments !== undefined) return { ...around, callArguments }
  return invalid([{ pointer: '#/query/arguments', detail: 'expected a JSON object' }])
}

const purposesShape = z.array(z.string())

function readPurposes(text = '[]'): readonly string[] | undefined {
  try {
    return purposesShape.safeParse(readJson(text).value).data
  } catch {
    return undefined
  }
}

function readArguments(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const { value, hasDuplicateKey } = readJson(text)
    return isObject(value) && !hasDuplicateKey ? value : undefined
  } catch {
    return undefined
  }
}

/** Whom a question is about, with what is kept of them at this moment, as if signed in with these factors. */
export async function principalFor(
  rooms: Rooms,
  person: { readonly id: string; readonly name: string; readonly kind: 'person' | 'service' },
  { factors, at }: ToldCircumstances,
): Promise<Principal> {
  const { roles, groups } = await rooms.policy.roles.keptOf(person.id)
  return {
    id: person.id,
    name: person.name,
    roles,
    ...(groups.length > 0 && { groups }),
    ...(person.kind === 'service' && { isService: true }),
    factors: (factors?.split(',') ?? []) as Factor[],
    ...(factors !== undefined && { factorsAt: at ?? rooms.clock.now() }),
    credential: { kind: 'session', id: 'none', expiresAt: 0 },
  }
}

/** A person or a service account by name or id, or that there is none. */
export async function findAnybody(rooms: Rooms, nameOrId: string) {
  return (await rooms.identity.people.find(nameOrId)) ?? refuse(refusals.notFound, { names: { noun: 'person' } })
}

/** One rule with what it says and read. */
export const explainedRule = z.object({
  rule: z.string(),
  says: z.string(),
  effect: z.string().optional(),
  place: z.string().optional(),
  text: z.string().optional(),
  inputs: z.record(z.string(), z.unknown()).optional(),
})

export const toldRemedy = z.object({ rule: z.string(), kind: z.string() })

export const explanation = z.object({
  isAllowed: z.boolean(),
  /** It depends on what the question does not tell, such as arguments. */
  mayDepend: z.boolean(),
  rules: z.array(explainedRule),
  /** Permits for exactly this whose conditions are not met; only where nothing is missing but a permit. */
  unmet: z.array(explainedRule),
  /** What would, all of it together, turn the denial into an allowance. */
  remedies: z.array(toldRemedy),
  snapshotVersion: z.number(),
})

export function showExplanation({ rules, unmet, remedies, ...rest }: Explanation): z.input<typeof explanation> {
  return { ...rest, rules: [...rules], unmet: [...unmet], remedies: [...remedies] }
}
