/**
 * What is a decision about, in words a person can act on?
 * Stops: names from callers that break the line, close the quotes or flood the sentence.
 * Trusts: nothing.
 * Fails: an unreadable name is shown as `?`.
 */
import type { Principal, Target } from '#kernel'
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

/** Why it was allowed. */
export function sayGranted(role: string, grantNumber: number, permission: Permission, target: Asked): string {
  return `role ${show(role)} grants ${show(permission)} on ${show(patternOf(target))} in its grant ${grantNumber}`
}

/** Why it was denied although a role grants it. */
export function sayStepUp(role: string, grantNumber: number, permission: Permission, target: Asked): string {
  return `role ${show(role)} asks for a fresh factor for each ${show(permission)} on ${show(patternOf(target))} in its grant ${grantNumber}`
}

/** Why it was denied, and what would be needed. */
export function sayNotGranted(principal: Principal, permission: Permission, target: Asked): string {
  const pattern = patternOf(target)
  const wider =
    target === 'castellan' || target.kind === 'server'
      ? ''
      : ` or ${show(`${target.upstream}/${folders[target.kind]}/*`)}`
  const theirs = principal.roles.length === 0 ? 'there are none' : principal.roles.slice(0, 10).map(show).join(', ')
  const denied = `no role of ${show(principal.name)} grants ${show(permission)} on ${show(pattern)}`
  return `${denied} (${theirs}); needed is a role with ${show(permission)} on ${show(pattern)}${wider}`
}
