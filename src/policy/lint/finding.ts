/**
 * What does lint say of a policy, and what does it look at?
 * Stops: nothing by itself: these are the shapes between the findings and who asks for them.
 * Trusts: nothing.
 * Fails: nothing here can fail.
 */
import type { Principal } from '#kernel'
import type { CompiledRule, PolicySource } from '../cedar/source.ts'
import type { Policy } from '../policy.ts'

export interface Finding {
  /** `lint.<what-is-wrong>`, kebab-case. */
  readonly code: string
  /** An error keeps a draft from being published; a warning has to be accepted. */
  readonly severity: 'error' | 'warning'
  /** Id of the rule, or empty where it is about all of them. */
  readonly rule: string
  readonly file?: string
  /** From 1. */
  readonly line?: number
  readonly column?: number
  readonly says: string
  readonly hint: string
}

/** What there is for rules to speak of. */
export interface World {
  readonly upstreams: ReadonlySet<string>
  /** `<upstream>/<tool>` of every tool that is or was seen, with the input schema that was approved. */
  readonly tools: ReadonlyMap<string, unknown>
  readonly groups: ReadonlySet<string>
  readonly networks: ReadonlySet<string>
  /** How many active persons hold a role. */
  readonly holders: ReadonlyMap<string, number>
  /** Active persons who may change the policy by the roles in force, by name. */
  readonly changers: readonly Pick<Principal, 'id' | 'name' | 'roles'>[]
}

export interface LintMatter {
  readonly rules: readonly CompiledRule[]
  readonly source: PolicySource
  readonly world: World
  /** The decision that these rules make. */
  readonly decide: Policy['decide']
  /** Wall-clock milliseconds since the epoch. */
  readonly nowMs: number
}

/** Looks for one thing. */
export type Linter = (matter: LintMatter) => readonly Finding[]

/** Where a rule stands, for a finding about it. */
export function placeOf({ id, origin }: CompiledRule): Pick<Finding, 'rule' | 'file' | 'line' | 'column'> {
  return origin.kind === 'role' ? { rule: id } : { rule: id, file: origin.file, line: origin.line, column: 1 }
}
