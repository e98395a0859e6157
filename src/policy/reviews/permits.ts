/**
 * Which permits are in force: grants of roles and rules of policy files, with what stands against them?
 * Stops: a grant that is told without its conditions; a rule judged aside that is told as one that counts.
 * Trusts: the snapshot in force and the roles that it was made from.
 * Fails: nothing here can fail; what may bear on a permit is told with it.
 */
import type { Remedy } from '../circumstances.ts'
import type { CompiledRule } from '../cedar/source.ts'
import { placeOf } from '../explain.ts'
import type { Grant, Role } from '../roles/role.ts'
import { type About, aboutOf, mayBeAboutAdmin, mayBeFor, type Holder, mayMeet, sayFor } from './about.ts'
import { printOf } from './prints.ts'

/** What the ledger can tell of the use of a permit. */
export type Telling =
  /** Each call names the rule that let it pass. */
  | 'calls'
  /** Whoever called something of a server also used the server. */
  | 'server'
  /** Use is not recorded by rule: the admin plane, files that tools ask for, roots. */
  | 'nothing'

export interface Permit {
  readonly rule: string
  readonly place: string
  readonly print: string
  readonly text: string
  readonly about: About
  readonly compiled: CompiledRule
  /** Whom its head names, in words. */
  readonly isFor: string
  /** Only of a grant of a role. */
  readonly role?: string
  readonly number?: number
  readonly grant?: Grant
  readonly telling: Telling
  /** Servers that it is about, where it names them. */
  readonly upstreams: readonly string[] | undefined
  readonly reachesAdmin: boolean
}

/** A rule that may take away what a permit gives. */
export interface Barrier {
  readonly rule: string
  readonly place: string
  /** What lifts it; undefined where nothing does. */
  readonly remedy: Remedy['kind'] | undefined
}

export interface Permits {
  readonly version: number
  readonly all: readonly Permit[]
  /** Grants of a role in their order. */
  ofRole(role: string): readonly Permit[]
  readonly ofFiles: readonly Permit[]
  /** The rules that may stop a holder in what a permit gives; of a role's own step-up too. */
  barriers(permit: Permit, holder?: Holder): readonly Barrier[]
}

const tellingCalls = new Set(['resources:read', 'prompts:get'])

function tellingOf({ actions }: About): Telling {
  const names = [...actions]
  if (names.some((name) => tellingCalls.has(name) || name.startsWith('tools:call/'))) return 'calls'
  return names.includes('servers:use') ? 'server' : 'nothing'
}

function upstreamsOf({ places }: About): readonly string[] | undefined {
  const named = places.map(({ upstreams }) => upstreams)
  if (named.some((one) => one === undefined)) return undefined
  return [...new Set(named.flatMap((one) => [...(one ?? [])]))].toSorted()
}

function permitOf(rule: CompiledRule, roles: ReadonlyMap<string, Role>): Permit {
  const { id, origin, text } = rule
  const about = aboutOf(rule)
  const grant = origin.kind === 'role' ? roles.get(origin.role)?.grants[origin.grantNumber - 1] : undefined
  return {
    rule: id,
    place: placeOf(rule),
    print: printOf(rule),
    text,
    about,
    compiled: rule,
    isFor: sayFor(rule),
    ...(origin.kind === 'role' && { role: origin.role, number: origin.grantNumber }),
    ...(grant !== undefined && { grant }),
    telling: tellingOf(about),
    upstreams: upstreamsOf(about),
    reachesAdmin: mayBeAboutAdmin(about),
  }
}

/** @param rules of the snapshot with this version, and the roles it was made from */
export function createPermits(
  { version, rules }: { readonly version: number; readonly rules: Iterable<CompiledRule> },
  roles: readonly Role[],
): Permits {
  const byName = new Map(roles.map((role) => [role.name, role]))
  const counting = [...rules].filter(({ isShadow }) => !isShadow)
  const all = counting.filter(({ effect }) => effect === 'permit').map((rule) => permitOf(rule, byName))
  const byRole = Map.groupBy(all, ({ role = '' }) => role)
  const forbids = counting
    .filter(({ effect }) => effect === 'forbid')
    .map((rule) => ({
      rule,
      about: aboutOf(rule),
      shown: { rule: rule.id, place: placeOf(rule), remedy: rule.remedy?.kind },
    }))
  const known = new Map<Permit, typeof forbids>()

  function meeting(permit: Permit) {
    const found = known.get(permit) ?? forbids.filter(({ about }) => mayMeet(about, permit.about))
    known.set(permit, found)
    return found
  }

  return {
    version,
    all,
    ofRole: (role) => byRole.get(role) ?? [],
    ofFiles: byRole.get('') ?? [],
    barriers: (permit, holder) =>
      meeting(permit)
        .filter(({ rule }) => holder === undefined || mayBeFor(rule, holder))
        .map(({ shown }) => shown),
  }
}
