/** What the proof `policy` counts, of a range of seeds. */
export interface WorldFigures {
  /** Sets of random rules of the whole language, asked directly. */
  worlds: number
  /** Random roles and policy files, asked through `decide`. */
  sources: number
  pairs: number
  officialPairs: number
  allowed: number
  forbidden: number
  erring: number
  listed: number
  depending: number
  keysMetAgain: number
  grantsAdded: number
  argumentsRead: number
  /** The first of them, each with its seed. */
  readonly disagreements: string[]
}

export function noFigures(): WorldFigures {
  return {
    worlds: 0,
    sources: 0,
    pairs: 0,
    officialPairs: 0,
    allowed: 0,
    forbidden: 0,
    erring: 0,
    listed: 0,
    depending: 0,
    keysMetAgain: 0,
    grantsAdded: 0,
    argumentsRead: 0,
    disagreements: [],
  }
}
