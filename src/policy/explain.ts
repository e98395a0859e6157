/**
 * What is a decision about, in words a person can act on?
 * Stops: names from callers that break the line, close the quotes or flood the sentence.
 * Trusts: nothing.
 * Fails: an unreadable name is shown as `?`.
 */
import type { Principal, Target } from '#kernel'
import type { CompiledRule } from './cedar/source.ts'
import type { Permission } from './permissions.ts'

/** What can be asked about: something behind castellan, or castellan's own admin plane. */
export type Asked = Target | 'castellan'

const longestShown = 120
const folders = { tool: 'tools', resource: 'resources', prompt: 'prompts' } as const

/** The resource pattern that covers exactly this. */
export function patternOf(target: Asked): string {
  if (target === 'castellan') return 'castellan'
  if (target.kind === 'server') return target.upstream
  return `${target.upstream}/${folders[target.kind]}/${target.name ?? ''}`
}

/** A name in backticks, on one line, cut when long. */
export function show(name: string): string {
  const cut = name.length > longestShown ? `${name.slice(0, longestShown)}…` : name
  return '`' + cut.toWellFormed().replace(/[\p{Cc}\p{Cf}\u2028\u2029`]/gu, '?') + '`'
}

/** What a sentence is about. */
export interface Subject {
  readonly permission: Permission
  readonly target: Asked
}

/** Where a rule stands: `payments.cedar:12`, `role payer#1`. */
export function placeOf({ origin }: Pick<CompiledRule, 'origin'>): string {
  return origin.kind === 'file' ? `${origin.file}:${origin.line}` : `role ${origin.role}#${origin.grantNumber}`
}

/** Why a rule decided as it did. */
export function sayRule(rule: Pick<CompiledRule, 'id' | 'effect' | 'origin'>, { permission, target }: Subject): string {
  const { origin } = rule
  const about = `${show(permission)} on ${show(patternOf(target))}`
  if (origin.kind === 'role') {
    const role = `role ${show(origin.role)}`
    const inGrant = `in its grant ${origin.grantNumber}`
    if (rule.effect === 'permit') return `${role} grants ${about} ${inGrant}`
    return `${role} asks for a fresh factor for each ${about} ${inGrant}`
  }
  const verb = rule.effect === 'permit' ? 'permits' : 'forbids'
  return `rule ${show(rule.id)} ${verb} ${about} (${placeOf(rule)})`
}

/** Why it cannot be told yet. */
export function sayDepends(rule: Pick<CompiledRule, 'id' | 'origin'>): string {
  return `it depends on what rule ${show(rule.id)} reads and was not told (${placeOf(rule)})`
}

const mostPlaces = 5

/**
 * Why it was denied, and what would be needed.
 * @param unmet the permits for exactly this that do not hold
 */
export function sayNotGranted(
  principal: Principal,
  { permission, target }: Subject,
  unmet: readonly CompiledRule[],
): string {
  const pattern = patternOf(target)
  if (unmet.length > 0) {
    const places = unmet.slice(0, mostPlaces).map((rule) => show(placeOf(rule)))
    const others = unmet.length > mostPlaces ? ` and of ${unmet.length - mostPlaces} more` : ''
    return `${show(permission)} on ${show(pattern)} is granted under conditions that are not met: those of ${places.join(', ')}${others}`
  }
  const wider =
    target === 'castellan' || target.kind === 'server'
      ? ''
      : ` or ${show(`${target.upstream}/${folders[target.kind]}/*`)}`
  const theirs = principal.roles.length === 0 ? 'there are none' : principal.roles.slice(0, 10).map(show).join(', ')
  const denied = `no role of ${show(principal.name)} grants ${show(permission)} on ${show(pattern)}`
  return `${denied} (${theirs}); needed is a role with ${show(permission)} on ${show(pattern)}${wider}`
}
