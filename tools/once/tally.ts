/** What came of the races of one kind, and whether it is what was claimed. */
import type { Outcome } from './race.ts'

export interface Tally {
  races: number
  /** One success, and all others refused. */
  once: number
  none: number
  twice: number
  /** Presented again after one success, to see that it is worth nothing any more. */
  again: number
  /** Races with a node killed in the middle. */
  killed: number
  /** Of those: one success before the kill or at the node that lived, and none when presented again. */
  wonBefore: number
  /** Of those: no success before, one when presented again. */
  wonAfter: number
  /** Of those: used up by the node that was killed, before anybody had the answer; worth nothing when presented again. */
  answerLost: number
  /** Answers that tell of a fault, of a node that was there. */
  faults: number
}

export function newTally(): Tally {
  return {
    races: 0,
    once: 0,
    none: 0,
    twice: 0,
    again: 0,
    killed: 0,
    wonBefore: 0,
    wonAfter: 0,
    answerLost: 0,
    faults: 0,
  }
}

/** @param isAgain whether it was presented again */
export function countRace(tally: Tally, { wins, winsAgain, faults }: Outcome, isAgain: boolean): void {
  tally.races += 1
  tally.faults += faults
  if (isAgain) tally.again += 1
  if (wins + winsAgain > 1) tally.twice += 1
  else if (wins === 1) tally.once += 1
  else tally.none += 1
}

export function countKilled(tally: Tally, { wins, winsAgain, unanswered, faults }: Outcome): void {
  tally.races += 1
  tally.killed += 1
  tally.faults += faults
  if (wins + winsAgain > 1) tally.twice += 1
  else if (wins === 1) tally.wonBefore += 1
  else if (winsAgain === 1) tally.wonAfter += 1
  else if (unanswered > 0) tally.answerLost += 1
  else tally.none += 1
}

/** Exactly one success each; where the answer was lost with its node, none and never another. */
export function isOnce({ none, twice, races, once, killed, wonBefore, wonAfter, answerLost }: Tally): boolean {
  return none === 0 && twice === 0 && once + killed === races && wonBefore + wonAfter + answerLost === killed
}

export function tell(name: string, tally: Tally): string {
  const { races, once, none, twice, again, killed, wonBefore, wonAfter, answerLost, faults } = tally
  const kills = `${killed} killed in the middle (won before ${wonBefore}, after ${wonAfter}, answer lost ${answerLost})`
  return `${name}: ${races} races, ${once} won once, ${kills}, ${twice} twice, ${none} by nobody, ${again} presented again, ${faults} faults`
}
