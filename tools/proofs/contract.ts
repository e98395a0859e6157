/** What every proof is, so that one runner can list and run them all. */
export interface Proof {
  /** One line for the list: what holds when it passes. */
  readonly shows: string
  /** Prints as it goes. A throw is a claim that does not hold. */
  run(flags: readonly string[]): Promise<ProofOutcome>
}

export interface ProofOutcome {
  readonly holds: boolean
  /** Figures with their units in their names. */
  readonly [figure: string]: unknown
}
