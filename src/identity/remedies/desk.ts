/**
 * What does a person say to calls of theirs that wait? Asked of whoever keeps them; identity only has the pages.
 * Stops: pages that reach past what is the person's own: everything is asked with the signed-in person.
 * Trusts: whoever composes the rooms. Fails at compile time when something is missing.
 */
import type { Principal, Refusal } from '#kernel'

export interface DeskRule {
  readonly rule: string
  readonly kind: 'approval' | 'step-up' | 'consent' | 'justification' | 'redact'
  readonly approvers?: { readonly roles: readonly string[]; readonly count: number }
  readonly withinMs?: number
  readonly text?: string
}

/** A call of a person's own, with what became of it. */
export interface DeskCall {
  readonly id: string
  readonly clientName: string
  readonly upstream: string
  readonly kind: string
  readonly name: string
  /** The whole call, as JSON. */
  readonly text: string
  readonly callHash: string
  readonly state: 'waiting' | 'ready' | 'used' | 'denied' | 'expired' | 'void'
  /** Wall-clock milliseconds. */
  readonly expiresAt: number
  readonly rules: readonly DeskRule[]
  readonly missing: readonly { readonly rule: string; readonly kind: DeskRule['kind']; readonly count: number }[]
  readonly said: readonly { readonly name: string; readonly deed: string; readonly text: string }[]
}

interface Answer {
  readonly principal: Principal
  readonly address?: string | undefined
}

/** A consent in force. */
export interface DeskConsent {
  readonly id: string
  readonly purpose: string
  readonly clientName: string
  readonly givenAt: number
  readonly expiresAt: number
}

export interface RemedyDesk {
  readonly own: {
    show(id: string, principal: Principal): Promise<DeskCall | undefined>
    justify(id: string, answer: Answer & { readonly rule: string; readonly said: string }): Promise<Refusal | undefined>
    consent(id: string, answer: Answer & { readonly rule: string }): Promise<Refusal | undefined>
    decline(id: string, answer: Answer): Promise<Refusal | undefined>
  }
  readonly consents: {
    list(personId: string): Promise<readonly DeskConsent[]>
    revoke(id: string, principal: Principal): Promise<Refusal | undefined>
  }
}
