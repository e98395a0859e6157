/**
 * Which cases does a test file hold?
 * Stops: a case that says something else than its author meant: unknown keys, kinds and permissions are problems.
 * Trusts: nothing.
 * Fails: each problem is told with file, line and column, and no case of that file counts.
 */
import { createHash } from 'node:crypto'
import * as z from 'zod'
import { effectClasses, sensitivities, unclassified, type Factor, type Principal } from '#kernel'
import type { PolicyFile, PolicyProblem } from '../cedar/source.ts'
import type { Circumstances } from '../circumstances.ts'
import type { Asked } from '../explain.ts'
import { permissions, thingOf, type Permission } from '../permissions.ts'
import { parsePattern } from '../roles/resource-pattern.ts'
import { readYaml } from '../folder/read-yaml.ts'

/** One question and the answer it has to get. */
export interface PolicyCase {
  readonly name: string
  readonly file: string
  readonly line: number
  readonly column: number
  readonly principal: Principal
  readonly permission: Permission
  readonly target: Asked
  readonly circumstances: Circumstances
  readonly expect: 'allow' | 'deny' | 'remedy'
  /** Kinds of remedy that have to be offered, all of them; only of `remedy`. */
  readonly remedies: readonly string[]
  /** A rule that has to be among the reasons. */
  readonly rule: string | undefined
}

export type ReadCases =
  | { readonly cases: readonly PolicyCase[]; readonly problems?: never }
  | { readonly problems: readonly PolicyProblem[]; readonly cases?: never }

export const maxCasesPerFile = 1_000

const texts = z.array(z.string())
const factor = z.enum([
  'password',
  'totp',
  'recovery-code',
  'passkey',
  'identity-provider',
  'identity-provider-mfa',
  'client-secret',
  'client-key',
] satisfies readonly Factor[])

const principal = z.strictObject({
  name: z.string().default('somebody'),
  kind: z.enum(['person', 'service-account']).default('person'),
  roles: texts.default([]),
  groups: texts.default([]),
  claims: z.record(z.string(), texts).default({}),
  factors: z.array(factor).default(['password', 'totp']),
  client: z.strictObject({ id: z.string(), name: z.string().default('') }).exactOptional(),
})

const classification = z.strictObject({
  effect: z.enum(effectClasses).default(unclassified.effect),
  sensitivity: z.enum(sensitivities).default(unclassified.sensitivity),
  dataClasses: texts.default([]),
  owner: z.string().default(''),
  bringsUntrusted: z.boolean().default(true),
  isOutlet: z.boolean().default(true),
})

const circumstances = z.strictObject({
  at: z.iso.datetime({ offset: true }).exactOptional(),
  address: z.union([z.ipv4(), z.ipv6()]).exactOptional(),
  flow: texts.exactOptional(),
  met: texts.exactOptional(),
})

const remedyKind = z.enum(['approval', 'step-up', 'consent', 'justification', 'redact'])

const oneCase = z.strictObject({
  name: z.string().min(1).max(200),
  principal,
  permission: z.string().refine((text) => permissions.includes(text), 'there is no such permission'),
  target: z.string().min(1),
  classification: classification.exactOptional(),
  arguments: z.record(z.string(), z.unknown()).exactOptional(),
  circumstances: circumstances.default({}),
  expect: z.union([z.enum(['allow', 'deny']), z.strictObject({ remedy: z.union([remedyKind, z.array(remedyKind)]) })]),
  rule: z.string().exactOptional(),
})
type Written = z.infer<typeof oneCase>

const testFile = z.strictObject({ cases: z.array(oneCase).max(maxCasesPerFile) })

function targetOf(text: string, permission: string): Asked | undefined {
  const pattern = parsePattern(text)
  const thing = thingOf(permission)
  if (pattern?.covers === 'admin-plane') return thing === 'AdminPlane' ? 'castellan' : undefined
  if (pattern?.covers === 'server') {
    return thing === 'Server' ? { upstream: pattern.upstream, kind: 'server' } : undefined
  }
  if (pattern?.covers !== 'one' || pattern.kind !== thing) return undefined
  const kinds = { Tool: 'tool', Resource: 'resource', Prompt: 'prompt' } as const
  return { upstream: pattern.upstream, kind: kinds[pattern.kind], name: pattern.name }
}

function principalOf(written: Written['principal']): Principal {
  const { name, kind, roles, groups, claims, factors, client } = written
  const id = createHash('sha256').update(name).digest('hex').slice(0, 32)
  return {
    id,
    name,
    ...(kind === 'service-account' ? { isService: true as const } : {}),
    roles: [...new Set(roles)].toSorted(),
    ...(groups.length === 0 ? {} : { groups: [...new Set(groups)].toSorted() }),
    ...(Object.keys(claims).length === 0 ? {} : { claims }),
    factors,
    ...(client === undefined ? {} : { client: { ...client, scopes: [] } }),
    credential: { kind: client === undefined ? 'access-token' : 'oauth-token', id: 'test', expiresAt: 0 },
  }
}

function circumstancesOf({ circumstances: told, classification: given, arguments: args }: Written): Circumstances {
  return {
    ...(told.at === undefined ? {} : { at: Date.parse(told.at) }),
    ...(told.address === undefined ? {} : { address: told.address }),
    ...(told.flow === undefined ? {} : { flow: new Set(told.flow) }),
    ...(told.met === undefined ? {} : { met: new Set(told.met) }),
    ...(given === undefined ? {} : { classification: { ...given, dataClasses: given.dataClasses.toSorted() } }),
    // WHY: a call without arguments has none, which is not the same as nobody knowing them.
    callArguments: args ?? {},
  }
}

/** Reads one test file. */
export function readCases(file: PolicyFile): ReadCases {
  const name = `tests/${file.name}`
  const read = readYaml({ name, text: file.text }, testFile)
  if (read.problems !== undefined) return read
  const problems: PolicyProblem[] = []
  const cases = read.value.cases.flatMap((written, at): PolicyCase[] => {
    const target = targetOf(written.target, written.permission)
    if (target === undefined) {
      const says = `\`${written.target}\` is no single thing that \`${written.permission}\` is asked about`
      problems.push({ says, file: name, ...read.place(['cases', at, 'target']) })
      return []
    }
    const { expect } = written
    const remedies = typeof expect === 'string' ? [] : [expect.remedy].flat()
    return [
      {
        name: written.name,
        file: name,
        ...read.place(['cases', at]),
        principal: principalOf(written.principal),
        permission: written.permission as Permission,
        target,
        circumstances: circumstancesOf(written),
        expect: typeof expect === 'string' ? expect : 'remedy',
        remedies,
        rule: written.rule,
      },
    ]
  })
  return problems.length > 0 ? { problems } : { cases }
}
