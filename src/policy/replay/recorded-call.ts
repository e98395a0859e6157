/**
 * Which question did an entry of the ledger answer, and how?
 * Stops: a replay that guesses: what the ledger does not hold is said to be missing.
 * Trusts: entries that the gateway wrote; `src/gateway/reconcile/decision-facts.ts` writes what is read here.
 * Fails: an entry that cannot be read in full is `untold`, with why.
 */
import { type Entry, mayDiffer } from '#audit'
import { type Classification, type Factor, type Principal, type Target, unclassified } from '#kernel'
import { isObject } from '#protocol'
import type { Circumstances } from '../circumstances.ts'
import { type Permission, thingOf } from '../permissions.ts'
import { restoreArguments } from './restore-arguments.ts'

/** One thing that the call needed. */
export interface NeededThen {
  readonly permission: Permission
  readonly target: Target
  readonly classification: Classification
  /** It went on with a call that was judged when it was made. */
  readonly wasCalled: boolean
}

/** A decision of the past, with all that it was made from. */
export interface RecordedCall {
  readonly principal: Principal
  /** What the call was about, then what it needed besides. */
  readonly needed: readonly [NeededThen, ...NeededThen[]]
  /** Of the server, which is judged besides. */
  readonly serverClassification: Classification
  /** Without what each thing has of its own; the arguments are those of the first. */
  readonly circumstances: Omit<Circumstances, 'met' | 'classification'>
  /** Rules whose remedy was met, for what the call was about. */
  readonly met: ReadonlySet<string>
}

/** Why a decision cannot be made again. */
export type Untold =
  /** The entry does not hold what it was made from. */
  | 'not-recorded'
  /** A name that the decision was about is masked. */
  | 'masked'

type Members = Readonly<Record<string, unknown>>

const usualPermission = {
  server: 'servers:use',
  tool: 'tools:call',
  resource: 'resources:read',
  prompt: 'prompts:get',
} as const

/** INVARIANT: those of which the gateway tells policy the arguments. */
const takesArguments: ReadonlySet<unknown> = new Set(['tools/call', 'prompts/get'])

function textsOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((text) => typeof text === 'string') ? value : undefined
}

function setOf(value: unknown): ReadonlySet<string> {
  return new Set(textsOf(value))
}

function isPermission(value: unknown): value is Permission {
  return typeof value === 'string' && thingOf(value) !== undefined
}

function clientOf(value: unknown): Principal['client'] {
  if (!isObject(value)) return undefined
  const { id, name, selfRegistered } = value
  return { id: String(id), name: String(name), scopes: [], isSelfRegistered: selfRegistered === true }
}

function claimsOf(value: unknown): Principal['claims'] {
  if (!isObject(value)) return undefined
  return Object.fromEntries(Object.entries(value).map(([name, texts]) => [name, textsOf(texts) ?? []]))
}

const credential = { kind: 'session', id: 'replayed', expiresAt: 0 } as const

function principalOf(person: Pick<Principal, 'id' | 'name'>, judged: Members, actors: unknown): Principal {
  const { roles, service, groups, claims, client, factors, factorsAt } = judged
  const knownGroups = textsOf(groups)
  const [knownClient, knownClaims] = [clientOf(client), claimsOf(claims)]
  return {
    id: person.id,
    name: person.name,
    roles: textsOf(roles) ?? [],
    factors: (textsOf(factors) ?? []) as readonly Factor[],
    credential,
    ...(service === true && { isService: true }),
    ...(knownGroups !== undefined && { groups: knownGroups }),
    ...(knownClaims !== undefined && { claims: knownClaims }),
    ...(knownClient !== undefined && { client: knownClient }),
    ...(typeof factorsAt === 'number' && { factorsAt }),
    ...(Array.isArray(actors) && { actors: actors as NonNullable<Principal['actors']> }),
  }
}

/** Makes `principalOf` that answers alike with the same object. WHY: what is reckoned of a principal is kept by object. */
export function createPrincipals(mostKept = 2_000): typeof principalOf {
  const kept = new Map<string, Principal>()
  return (person, judged, actors) => {
    const { roles, service, groups, claims, client, factors, factorsAt } = judged
    const key = JSON.stringify([person, roles, service, groups, claims, client, factors, factorsAt, actors])
    const known = kept.get(key)
    if (known !== undefined) return known
    if (kept.size >= mostKept) kept.clear()
    const made = principalOf(person, judged, actors)
    kept.set(key, made)
    return made
  }
}

function classificationOf(value: unknown): Classification {
  return isObject(value) ? { ...unclassified, ...(value as Partial<Classification>) } : unclassified
}

function neededOf(upstream: string, value: unknown): NeededThen | undefined {
  if (!isObject(value)) return undefined
  const { kind, name, permission, called, labels } = value
  if (!isPermission(permission)) return undefined
  const target = { upstream, kind, ...(typeof name === 'string' && { name }) } as Target
  return { permission, target, classification: classificationOf(labels), wasCalled: called === true }
}

/** WHY: all of these are told to policy as they are, and none of them can be told to be unknown. */
function isMasked(value: unknown): boolean {
  if (typeof value === 'string') return mayDiffer(value)
  if (Array.isArray(value)) return value.some(isMasked)
  return isObject(value) && Object.entries(value).some(([name, member]) => mayDiffer(name) || isMasked(member))
}

/** Reads what the decision of an entry was made from. @param principals of `createPrincipals` */
export function readRecorded(entry: Entry, principals = principalOf): RecordedCall | Untold {
  const { principal: person, target, details = {}, address, time } = entry
  const { judged, parameters, actors, method } = details
  if (person === undefined || target === undefined || !isObject(judged)) return 'not-recorded'
  if (isMasked(judged) || isMasked(target.name) || isMasked(actors)) return 'masked'
  const { permission = usualPermission[target.kind], called, also, met, labels, serverLabels, flow, consents } = judged
  const others = (Array.isArray(also) ? also : []).map((value) => neededOf(target.upstream, value))
  if (!isPermission(permission) || !others.every((other) => other !== undefined)) return 'not-recorded'
  const classification = classificationOf(labels)
  return {
    principal: principals(person, judged, actors),
    needed: [{ permission, target, classification, wasCalled: called === true }, ...others],
    serverClassification: serverLabels === undefined ? classification : classificationOf(serverLabels),
    circumstances: {
      at: Date.parse(time),
      callArguments: takesArguments.has(method) ? restoreArguments(parameters) : undefined,
      flow: setOf(flow),
      consents: setOf(consents),
      ...(address !== undefined && { address }),
    },
    met: setOf(met),
  }
}
