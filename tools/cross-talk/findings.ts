/** What the proof of cross-talk counts and finds. */
export interface Counts {
  readonly exchanges: number
  readonly turnedAway: number
  readonly hangUps: number
  /** Sessions that the gateway ended, because their person had too many processes. */
  readonly lostSessions: number
  readonly thefts: number
  /** Calls that were answered by a task. */
  readonly tasks: number
  /** Streams of news on which somebody heard what they waited for. */
  readonly heard: number
  readonly problems: readonly string[]
}

export interface Findings {
  readonly counts: Counts
  asked(): void
  turnedAway(): void
  hungUp(): void
  stole(): void
  made(): void
  heard(): void
  lostSession(): void
  wrong(problem: string): void
}

export function createFindings(): Findings {
  const none = { exchanges: 0, turnedAway: 0, hangUps: 0, lostSessions: 0, thefts: 0, tasks: 0, heard: 0 }
  const counts = { ...none, problems: [] as string[] }
  return {
    counts,
    asked: () => void (counts.exchanges += 1),
    turnedAway: () => void (counts.turnedAway += 1),
    hungUp: () => void (counts.hangUps += 1),
    lostSession: () => void (counts.lostSessions += 1),
    stole: () => void (counts.thefts += 1),
    made: () => void (counts.tasks += 1),
    heard: () => void (counts.heard += 1),
    wrong: (problem) => void counts.problems.push(problem),
  }
}
