/**
 * Judges random worlds three times over, for the proof `policy`: by the product's rules, by the naive evaluator and by the
 * official engine. What is asked besides: that equal keys have equal judgements, that a list is what can be called, and
 * that a permit more undoes no denial by a forbid.
 */
import { type Judgement, compileRules, type Rules } from '../../src/policy/evaluate/compile-rules.ts'
import { type Result, unknown } from '../../src/policy/evaluate/values.ts'
import { createAsking } from '../../test/world/policies/ask-rules.ts'
import type { JsonRequest, JsonWorld } from '../../test/world/policies/json-world.ts'
import { askOfficially, type Said } from '../../test/world/policies/official.ts'
import { choicesOf, otherWorld, randomPermit, randomWorld } from '../../test/world/policies/random-world.ts'
import type { Random } from '../fuzz/random.ts'
import { noFigures, type WorldFigures } from './figures.ts'
import { judgeSource, questionsEach } from './judge-sources.ts'
import { askNaively } from './naive.ts'

export interface WorldRange {
  readonly fromSeed: number
  readonly toSeed: number
  /** Every how many-th world the official engine judges, too. */
  readonly officialEvery: number
}

const requestsEach = 10
const mostPolicies = 12
const mostTold = 20

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.join('\n') === other.join('\n')
}

/** Whether a judgement is what an evaluator said, who passes over errors where the product denies. */
export function agrees({ outcome, deciding, errors }: Judgement, said: Said): boolean {
  const erring = errors.map(({ id }) => id)
  if (!isSame(erring, said.erring)) return false
  if (erring.length > 0) return outcome === 'deny' && (said.isAllowed || isSame(deciding, said.deciding))
  return outcome === (said.isAllowed ? 'allow' : 'deny') && isSame(deciding, said.deciding)
}

interface Scene {
  readonly seed: number
  readonly world: JsonWorld
  readonly rules: Rules
  readonly figures: WorldFigures
  /** What was judged under each key. */
  readonly byKey: Map<string, string>
}

function tell({ figures, seed }: Scene, says: string, ...shown: readonly unknown[]): void {
  if (figures.disagreements.length < mostTold) {
    figures.disagreements.push(`seed ${seed}: ${says}: ${JSON.stringify(shown).slice(0, 2_000)}`)
  }
}

function checkKey(scene: Scene, key: string, judgement: Judgement): void {
  const text = JSON.stringify(judgement)
  const before = scene.byKey.get(key)
  if (before !== undefined) {
    scene.figures.keysMetAgain += 1
    if (before !== text) tell(scene, 'one key, two judgements', before, text)
  }
  scene.byKey.set(key, text)
}

/** INVARIANT: what is listed with unknown arguments is never less than what can be called, and is exactly that where nothing unknown was read. */
function checkList(scene: Scene, request: JsonRequest, called: Judgement): void {
  let hasRead = false
  const untold = (type: string, _key: string, told: Result | undefined): Result | undefined => {
    if (type !== 'N::Texts' && type !== 'N::Numbers') return told
    hasRead = true
    return unknown
  }
  const listed = scene.rules.judge(createAsking(scene.world, untold)(request))
  if (listed.outcome !== 'deny') scene.figures.listed += 1
  if (listed.outcome === 'depends') scene.figures.depending += 1
  const isRight = listed.outcome === 'depends' ? hasRead : listed.outcome === called.outcome
  if (!isRight) tell(scene, 'the list is not what can be called', request, listed, called)
}

function judgeRequests(scene: Scene, isOfficial: boolean, grown: Rules): void {
  const { world, rules, figures } = scene
  const naive = askNaively(world)
  const official = isOfficial ? askOfficially(world) : undefined
  const asking = createAsking(world)
  for (const request of world.requests) {
    const asked = asking(request)
    const slice = rules.sliceOf(asked)
    const judgement = slice.judge()
    figures.pairs += 1
    if (judgement.outcome === 'allow') figures.allowed += 1
    else if (judgement.deciding.length > 0) figures.forbidden += 1
    if (judgement.errors.length > 0) figures.erring += 1
    const said = naive(request)
    if (!agrees(judgement, said)) tell(scene, 'not what the naive evaluator says', request, judgement, said)
    if (official !== undefined) {
      figures.officialPairs += 1
      const verdict = official(request)
      if (!agrees(judgement, verdict)) tell(scene, 'not what the engine says', request, judgement, verdict)
    }
    checkKey(scene, slice.key(), judgement)
    checkList(scene, request, judgement)
    const isUndone =
      judgement.outcome === 'deny' && judgement.deciding.length > 0 && grown.judge(asked).outcome !== 'deny'
    if (isUndone) tell(scene, 'a permit more undid a denial', request, judgement)
  }
}

function judgeWorld(seed: number, isOfficial: boolean, figures: WorldFigures): void {
  const random: Random = choicesOf(seed)
  const world = randomWorld(random, { mostPolicies, requests: requestsEach })
  const rules = compileRules(world.policies)
  const grown = compileRules([...world.policies, { id: 'one-more', json: randomPermit(random) }])
  const byKey = new Map<string, string>()
  figures.worlds += 1
  figures.grantsAdded += 1
  judgeRequests({ seed, world, rules, figures, byKey }, isOfficial, grown)
  judgeRequests({ seed, world: otherWorld(random, world), rules, figures, byKey }, isOfficial, grown)
}

/** Judges all seeds of a range: by turns rules of the whole language, and roles and files as the gateway reads them. */
export function judgeWorlds({ fromSeed, toSeed, officialEvery }: WorldRange): WorldFigures {
  const figures = noFigures()
  for (let seed = fromSeed; seed < toSeed; seed += 1) {
    try {
      const isOfficial = Math.floor(seed / 2) % officialEvery === 0
      if (seed % 2 === 0) judgeWorld(seed, isOfficial, figures)
      else judgeSource(seed, isOfficial, figures)
    } catch (error) {
      figures.disagreements.push(`seed ${seed}: ${String(error)}`)
    }
  }
  return figures
}

/** How many pairs two seeds that follow each other make. */
export const pairsOfTwo = requestsEach * 2 + questionsEach
