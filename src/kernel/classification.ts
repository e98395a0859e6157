/** What a call does at worst, from least to most. */
export const effectClasses = ['discover', 'read', 'query', 'write', 'execute', 'administer'] as const
export type EffectClass = (typeof effectClasses)[number]

/** How bad it is when what a thing's answers hold gets out, from least to most. */
export const sensitivities = ['public', 'internal', 'confidential', 'restricted'] as const
export type Sensitivity = (typeof sensitivities)[number]

/** What an administrator says of a tool or a server: given with its approval, never taken from what it says of itself. */
export interface Classification {
  readonly effect: EffectClass
  readonly sensitivity: Sensitivity
  /** Kinds of data that its answers hold, e.g. `personal`, `payment`; sorted, without doubles. */
  readonly dataClasses: readonly string[]
  /** Who answers for it: a team or a person; empty when nobody was named. */
  readonly owner: string
  /** Its answers may hold what strangers wrote. */
  readonly bringsUntrusted: boolean
  /** What it is given can leave the company. */
  readonly isOutlet: boolean
}

/** What counts for whatever nobody classified: the worst of everything. */
export const unclassified: Classification = {
  effect: 'execute',
  sensitivity: 'restricted',
  dataClasses: [],
  owner: '',
  bringsUntrusted: true,
  isOutlet: true,
}
