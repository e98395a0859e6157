/** One race: the same thing is presented at two nodes at once, and of all who did one may succeed. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answered, noStatus, type Nodes } from './nodes.ts'

const firstServerFault = 500
/** Of each node at the same moment, unless a kind says otherwise. */
const usualPerNode = 2

/** Something that counts once, ready to be presented. */
export interface Attempt {
  /** Presents it at a node; all at one race carry the same thing. @param at of all that are sent */
  send(node: number, at: number): Promise<Answered>
}

/** A kind of thing that counts once. */
export interface Kind {
  readonly name: string
  /** Weight among all races: those that cost a hash of a password are fewer. */
  readonly weight: number
  readonly perNode?: number
  prepare(): Promise<Attempt>
  isWon(answered: Answered): boolean
  /** Before the same thing is presented again after a kill: what else would be in the way. */
  clear?(): Promise<void>
}

/** What became of one race. */
export interface Outcome {
  readonly wins: number
  /** Presented again afterwards: after a kill, or to see that it is worth nothing any more. */
  readonly winsAgain: number
  /** Requests that nobody answered. */
  readonly unanswered: number
  /** Answers that tell of a fault. */
  readonly faults: number
  /** How each was answered, to be shown where that is not what was claimed. */
  readonly said: readonly string[]
  readonly tookMs: number
}

type NodeOf = (at: number) => number

const bothNodes: NodeOf = (at) => at % 2
const secondNode: NodeOf = () => 1

function present(kind: Kind, attempt: Attempt, { nodeOf = bothNodes, from = 0 } = {}): Promise<Answered[]> {
  const count = (kind.perNode ?? usualPerNode) * 2
  return Promise.all(Array.from({ length: count }, (_one, at) => attempt.send(nodeOf(at), from + at)))
}

const countWins = (kind: Kind, answers: readonly Answered[]): number =>
  answers.filter((answer) => kind.isWon(answer)).length

const noAnswer = ({ status }: Answered): boolean => status === noStatus
const tellsFault = ({ status }: Answered): boolean => status >= firstServerFault

const longestSaid = 300

function say({ status, location, text }: Answered): string {
  return `${status} ${location}${text.replaceAll(/\s+/g, ' ').slice(0, longestSaid)}`
}

/** @param again whether it is presented once more when all have been answered */
export async function race(kind: Kind, again: boolean): Promise<Outcome> {
  const attempt = await kind.prepare()
  const startedAt = performance.now()
  const answers = await present(kind, attempt)
  const tookMs = performance.now() - startedAt
  if (again) await kind.clear?.()
  const later = again ? await present(kind, attempt, { from: answers.length }) : []
  return {
    wins: countWins(kind, answers),
    winsAgain: countWins(kind, later),
    unanswered: answers.filter(noAnswer).length,
    faults: [...answers, ...later].filter(tellsFault).length,
    said: [...answers, ...later].map(say),
    tookMs,
  }
}

export interface Kill {
  readonly afterMs: number
  /** Whether all is sent to the node that is killed, so that the other cannot have won before. */
  readonly isAlone: boolean
}

/** Kills the second node while the race goes on, and presents the same thing at both when it is back. */
export async function killedRace(kind: Kind, nodes: Nodes, { afterMs, isAlone }: Kill): Promise<Outcome> {
  const attempt = await kind.prepare()
  const startedAt = performance.now()
  const presented = present(kind, attempt, { nodeOf: isAlone ? secondNode : bothNodes })
  await sleep(afterMs)
  const restarted = nodes.killSecond()
  const answers = await presented
  const tookMs = performance.now() - startedAt
  await restarted
  await kind.clear?.()
  const later = await present(kind, attempt, { from: answers.length })
  return {
    wins: countWins(kind, answers),
    winsAgain: countWins(kind, later),
    unanswered: answers.filter(noAnswer).length,
    faults: later.filter(tellsFault).length,
    said: [...answers, ...later].map(say),
    tookMs,
  }
}
