/**
 * What can a decision depend on besides who asks for what?
 * Stops: a rule that reads what nobody told: what is absent here is unknown, and what is unknown never allows.
 * Trusts: the gateway, which fills it in once per exchange from what its guards learned.
 * Fails: nothing here can fail.
 */
import type { Classification } from '#kernel'

/** What is told of one question. Everything is optional: a listing knows no arguments, the admin plane no session. */
export interface Circumstances {
  /** Wall-clock milliseconds since the epoch at which the question counts; the present unless told. */
  readonly at?: number | undefined
  /** As approved: of the tool, else of its server. `unclassified` unless told. */
  readonly classification?: Classification | undefined
  /** The JSON arguments of the call; undefined when they are not known, as in a listing. */
  readonly callArguments?: Readonly<Record<string, unknown>> | undefined
  /** The client's address, IPv4 or IPv6 without zone. */
  readonly address?: string | undefined
  /** Labels that the person's session or grant has gathered. */
  readonly flow?: ReadonlySet<string> | undefined
  /** Purposes that the person has consented to. */
  readonly consents?: ReadonlySet<string> | undefined
  /** Ids of rules whose remedy was met for exactly this call; `all` where it already ran with what it was given. */
  readonly met?: ReadonlySet<string> | 'all' | undefined
}

/** What a person can do about a denial by one rule. */
export interface Remedy {
  /** Id of the rule that denies. */
  readonly rule: string
  readonly kind: 'approval' | 'step-up' | 'consent' | 'justification' | 'redact'
  /** Of an approval: roles whose holders may approve, how many of them. */
  readonly approvers?: { readonly roles: readonly string[]; readonly count: number }
  /** How long what was asked for may be given, in milliseconds. */
  readonly withinMs?: number
  /** Of a consent: the purpose. Of a justification: the question put to the person. */
  readonly text?: string
  /** Of a redaction: the member names whose values are taken out of the answer. */
  readonly fields?: readonly string[]
}
