/** What the proof of cross-talk counts and finds. */
export interface Counts {
  readonly exchanges: number
  readonly turnedAway: number
  readonly hangUps: number
  /** Sessions that the gateway ended, because their person had too many processes. */
  readonly lostSessions: number
  readonly thefts: number
  readonly problems: readonly string[]
}

export interface Findings {
  readonly counts: Counts
  asked(): void
  turnedAway(): void
  hungUp(): void
  stole(): void
  lostSession(): void
  wrong(problem: string): void
}

export function createFindings(): Findings {
  const counts = { exchanges: 0, turnedAway: 0, hangUps: 0, lostSessions: 0, thefts: 0, problems: [] as string[] }
  return {
    counts,
    asked: () => void (counts.exchanges += 1),
    turnedAway: () => void (counts.turnedAway += 1),
    hungUp: () => void (counts.hangUps += 1),
    lostSession: () => void (counts.lostSessions += 1),
    stole: () => void (counts.thefts += 1),
    wrong: (problem) => void counts.problems.push(problem),
  }
}
