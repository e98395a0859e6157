/**
 * What is a policy made from, and what is made of it?
 * Stops: nothing by itself: these are the shapes between who keeps policies and who compiles them.
 * Trusts: nothing.
 * Fails: nothing here can fail.
 */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import type { Remedy } from '../circumstances.ts'
import type { Role } from '../roles/role.ts'

/** A named text with any number of Cedar policies. */
export interface PolicyFile {
  /** See `policyFileName`. */
  readonly name: string
  readonly text: string
}

/** Everything that one snapshot is made from. */
export interface PolicySource {
  readonly roles: readonly Pick<Role, 'name' | 'grants'>[]
  readonly files: readonly PolicyFile[]
}

/** Where a rule was written. */
export type Origin =
  | { readonly kind: 'role'; readonly role: string; readonly grantNumber: number }
  | { readonly kind: 'file'; readonly file: string; readonly line: number }

/** One rule, compiled. */
export interface CompiledRule {
  /**
   * `role:<name>#<number of the grant, from 1>`, with `!step-up` where it forbids; `<file>#<its @id>` or `<file>#<its
   * number in the file, from 1>`.
   */
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  readonly origin: Origin
  /** As written, with `@id` where it comes from a role. */
  readonly text: string
  /** What is judged: as written, and a remedy that was met lifts it. */
  readonly json: PolicyJson
  /** What a person can do about it; only of a forbid. */
  readonly remedy?: Remedy
  /** Judged aside: it never changes an answer. */
  readonly isShadow: boolean
  /** What is told to the person whom it denies. */
  readonly says?: string
  /** Whether a person whom it denies hears the standard sentence alone. */
  readonly isQuiet: boolean
}

/** All rules of one snapshot. */
export interface CompiledPolicy {
  /** Of the roles in the order of their names, then of the files in the order of their names. */
  readonly rules: readonly CompiledRule[]
  /** Their texts, with the version in the first line: two snapshots never have the same. */
  readonly cedar: string
}

/** What is wrong with a source; with file and line where it is known. */
export interface PolicyProblem {
  readonly says: string
  readonly rule?: string
  readonly file?: string
  /** From 1. */
  readonly line?: number
  readonly column?: number
}

/** @see `compilePolicy` */
export type Compilation =
  | { readonly isValid: true; readonly policy: CompiledPolicy; readonly warnings: readonly PolicyProblem[] }
  | { readonly isValid: false; readonly problems: readonly PolicyProblem[] }

export const sourceLimits = {
  maxFiles: 64,
  /** Of one file, in UTF-8. */
  maxFileBytes: 1_048_576,
} as const

/** Lower-case letters, digits, dashes, underscores and dots, in folders at will, ending with `.cedar`. */
export const policyFileName = /^(?=.{7,128}$)[a-z0-9][a-z0-9_-]*([./][a-z0-9][a-z0-9_-]*)*\.cedar$/
