import type { Principal } from '#kernel'
import { compilePolicy } from '../../../src/policy/cedar/compile.ts'
import type { PolicyProblem, PolicySource } from '../../../src/policy/cedar/source.ts'
import { createDecide, createShadowsOf } from '../../../src/policy/decide.ts'
import type { Asked } from '../../../src/policy/explain.ts'
import { createSurroundings, type QuestionSettings } from '../../../src/policy/settings.ts'
import { type LoadedSnapshot, prepareSnapshot } from '../../../src/policy/snapshot/load.ts'

/** Wall-clock time of every question: a Wednesday, 14:30 in UTC. */
export const askedAt = Date.UTC(2026, 6, 15, 14, 30)

export function problemsIn(source: Partial<PolicySource>): readonly PolicyProblem[] {
  const compilation = compilePolicy({ roles: [], files: [], ...source }, 1)
  return compilation.isValid ? [] : compilation.problems
}

/** A snapshot of what is written, ready to be asked. */
export function loadPolicy(source: Partial<PolicySource>, version = 1): LoadedSnapshot {
  const compilation = compilePolicy({ roles: [], files: [], ...source }, version)
  if (!compilation.isValid) throw new Error(JSON.stringify(compilation.problems))
  const { policy } = compilation
  return prepareSnapshot({ version, hash: '', cedar: policy.cedar }, policy)
}

export function decideBy(loaded: LoadedSnapshot | undefined, settings: Partial<QuestionSettings> = {}) {
  const surroundings = createSurroundings({ policy: { timeZone: 'UTC', networks: [], ...settings } })
  return createDecide({ current: () => loaded, surroundings: () => surroundings, now: () => askedAt })
}

export function shadowsBy(loaded: LoadedSnapshot) {
  const surroundings = createSurroundings({ policy: { timeZone: 'UTC', networks: [] } })
  return createShadowsOf({ current: () => loaded, surroundings: () => surroundings, now: () => askedAt })
}

export function decideUnder(source: Partial<PolicySource>, settings: Partial<QuestionSettings> = {}) {
  return decideBy(loadPolicy(source), settings)
}

export function somebody(...roles: string[]): Principal {
  const credential = { kind: 'session', id: 's1', expiresAt: 1 } as const
  return { id: 'p1', name: 'ada', roles, factors: ['password', 'totp'], credential }
}

export function toolOf(upstream: string, name: string): Asked {
  return { upstream, kind: 'tool', name }
}
