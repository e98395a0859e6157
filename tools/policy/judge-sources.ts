/**
 * Judges random roles and policy files as the gateway does, through `compilePolicy` and `decide`, for the proof `policy`: by
 * the product, by the naive evaluator from roles and texts, and by the official engine from the text of the snapshot. What is
 * asked besides: that a list is what can be called, and that a grant more undoes no denial by a rule.
 */
import { type Context, type Entities, preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs'
import { allArguments, argumentKinds, argumentOf } from '../../src/policy/arguments.ts'
import { compilePolicy } from '../../src/policy/cedar/compile.ts'
import type { CompiledRule, PolicySource } from '../../src/policy/cedar/source.ts'
import { createDecide, type Decision } from '../../src/policy/decide.ts'
import { isValue, type Result } from '../../src/policy/evaluate/values.ts'
import { createSurroundings } from '../../src/policy/settings.ts'
import { type LoadedSnapshot, prepareSnapshot } from '../../src/policy/snapshot/load.ts'
import { choicesOf } from '../../test/world/policies/random-world.ts'
import type { Said } from '../../test/world/policies/official.ts'
import type { Random } from '../fuzz/random.ts'
import type { WorldFigures } from './figures.ts'
import { askNaively } from './naive.ts'
import {
  createNaiveRules,
  networks,
  type PutQuestion,
  putQuestion,
  unlessMet,
  type ZoneName,
  zoneMinutes,
} from './naive-question.ts'
import { randomArguments, randomPrincipal, randomQuestion, type RandomQuestion } from './random-question.ts'
import { keys, randomGrant, type RandomSource, randomSource, roleNames } from './random-source.ts'

const principalsEach = 4
/** How many pairs one seed makes. */
export const questionsEach = 40
const mostTold = 20

type Decide = ReturnType<typeof createDecide>

function load(source: RandomSource): LoadedSnapshot {
  const files = source.files.map(({ name, rules }) => ({ name, text: rules.map(({ text }) => text).join('\n\n') }))
  const compilation = compilePolicy({ roles: source.roles as PolicySource['roles'], files }, 1)
  if (!compilation.isValid) throw new Error(`not valid: ${JSON.stringify(compilation.problems)}`)
  return prepareSnapshot({ version: 1, hash: '', cedar: compilation.policy.cedar }, compilation.policy)
}

function decideBy(loaded: LoadedSnapshot, timeZone: ZoneName): Decide {
  const surroundings = createSurroundings({ policy: { timeZone, networks } })
  return createDecide({ current: () => loaded, surroundings: () => surroundings, now: () => 0 })
}

function ask(decide: Decide, { principal, permission, target, circumstances }: RandomQuestion): Decision {
  return decide(principal, permission, target, circumstances)
}

/** The engine's answer by the texts of the snapshot. */
function createOfficial(rules: readonly CompiledRule[]): (put: PutQuestion) => Said {
  const texts = rules
    .filter(({ isShadow }) => !isShadow)
    .map(({ id, text, remedy }) => [id, remedy === undefined ? text : unlessMet(text, id)] as const)
  const read = preparsePolicySet('source', { staticPolicies: Object.fromEntries(texts) })
  if (read.type === 'failure') throw new Error(read.errors.map(({ message }) => message).join('; '))
  return ({ request, entities }) => {
    const answer = statefulIsAuthorized({
      ...request,
      context: request.context as Context,
      entities: [...entities] as Entities,
      preparsedPolicySetId: 'source',
      validateRequest: false,
    })
    if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '))
    const { decision, diagnostics } = answer.response
    return {
      isAllowed: decision === 'allow',
      deciding: diagnostics.reason.toSorted(),
      erring: diagnostics.errors.map(({ policyId }) => policyId).toSorted(),
    }
  }
}

/** Whether a decision is what an evaluator said, who passes over errors where the product denies. */
function agrees({ isAllowed, mayDepend, reasons }: Decision, said: Said): boolean {
  if (mayDepend) return false
  const [first] = reasons
  if (said.erring.length > 0) {
    return !isAllowed && (first?.rule === 'engine' || (first?.isConfused === true && said.erring.includes(first.rule)))
  }
  const rules = reasons.map(({ rule }) => rule)
  const expected = said.deciding.length === 0 ? ['not-granted'] : said.deciding
  return isAllowed === said.isAllowed && rules.toSorted().join('\n') === expected.join('\n')
}

interface Scene {
  readonly seed: number
  readonly zone: ZoneName
  readonly loaded: LoadedSnapshot
  readonly decide: Decide
  /** The same with a grant more. */
  readonly grown: Decide
  readonly rulesFor: ReturnType<typeof createNaiveRules>
  readonly official: ReturnType<typeof createOfficial> | undefined
  readonly figures: WorldFigures
}

function tell({ figures, seed }: Pick<Scene, 'figures' | 'seed'>, says: string, ...shown: readonly unknown[]): void {
  if (figures.disagreements.length >= mostTold) return
  const plain = (_key: string, value: unknown) => (value instanceof Set ? [...value] : value)
  figures.disagreements.push(`source seed ${seed}: ${says}: ${JSON.stringify(shown, plain).slice(0, 4_000)}`)
}

/** INVARIANT: nothing that can be called is missing from a list, and without rules on arguments the list is just that. */
function checkList(scene: Scene, question: RandomQuestion, called: Decision): void {
  const { callArguments, ...circumstances } = question.circumstances
  const listed = ask(scene.decide, { ...question, circumstances })
  const isListed = listed.isAllowed || listed.mayDepend
  if (isListed) scene.figures.listed += 1
  if (listed.mayDepend) scene.figures.depending += 1
  const isRight = listed.mayDepend || listed.isAllowed === called.isAllowed
  if (!isRight) tell(scene, 'the list is not what can be called', question, listed, called, callArguments)
}

function judgeOne(scene: Scene, question: RandomQuestion): void {
  const { figures } = scene
  const decision = ask(scene.decide, question)
  const again = ask(scene.decide, { ...question, circumstances: { ...question.circumstances } })
  figures.pairs += 1
  const put = putQuestion(question, scene.zone)
  const naive = askNaively({ policies: scene.rulesFor(question), entities: put.entities }, put.spoiled)(put.request)
  if (decision.isAllowed) figures.allowed += 1
  else if (naive.deciding.length > 0) figures.forbidden += 1
  if (naive.erring.length > 0) figures.erring += 1
  if (!agrees(decision, naive)) tell(scene, 'not what the naive evaluator says', question, decision, naive)
  if (JSON.stringify(again) !== JSON.stringify(decision))
    tell(scene, 'not the same when asked again', question, decision, again)
  const mayBeConfused = naive.erring.length > 0 && Object.values(put.spoiled).some(({ size }) => size > 0)
  // WHY: the engine knows of no argument that must not be read.
  if (scene.official !== undefined && !mayBeConfused) {
    figures.officialPairs += 1
    const official = scene.official(put)
    if (!agrees(decision, official)) tell(scene, 'not what the engine says', question, decision, official)
  }
  checkList(scene, question, decision)
  const isDenied = !decision.isAllowed && naive.deciding.length > 0
  if (isDenied && ask(scene.grown, question).isAllowed) tell(scene, 'a grant more undid a denial', question, decision)
}

function shown(result: Result | undefined): unknown {
  if (result === undefined || !isValue(result)) return undefined
  return typeof result === 'object' && result.kind === 'set' ? [...result.values()] : result
}

/** One reading of arguments for the product, one for the engine: what both see as an argument has to be the same. */
function checkArguments({ seed, figures }: Pick<Scene, 'seed' | 'figures'>, random: Random): void {
  const given = randomArguments(random)
  const all = allArguments(given)
  for (const kind of argumentKinds) {
    for (const key of new Set([...keys, ...argumentKinds.flatMap((one) => Object.keys(all[one]))])) {
      const found = argumentOf(given, kind, key)
      // WHY: what is confused denies, and is never put to the engine.
      if (found !== undefined && !isValue(found)) continue
      figures.argumentsRead += 1
      const said = JSON.stringify(shown(found))
      if (said !== JSON.stringify(all[kind][key])) tell({ seed, figures }, 'an argument read twice', given, kind, key)
    }
  }
}

function grown(random: Random, source: RandomSource): RandomSource {
  const { stepUp, ...grant } = randomGrant(random)
  const name = random.pick(roleNames)
  const known = source.roles.find((role) => role.name === name)
  const grants = [...(known?.grants ?? []), stepUp === undefined ? grant : { ...grant, stepUp }]
  return { ...source, roles: [...source.roles.filter((role) => role !== known), { name, grants }] }
}

/** Judges the roles and files of one seed. */
export function judgeSource(seed: number, isOfficial: boolean, figures: WorldFigures): void {
  const random = choicesOf(seed)
  const source = randomSource(random)
  const loaded = load(source)
  const zone = random.pick(Object.keys(zoneMinutes) as ZoneName[])
  const rules = [...loaded.rules.values()]
  const scene: Scene = {
    seed,
    zone,
    loaded,
    decide: decideBy(loaded, zone),
    grown: decideBy(load(grown(random, source)), zone),
    rulesFor: createNaiveRules(source),
    official: isOfficial ? createOfficial(rules) : undefined,
    figures,
  }
  figures.sources += 1
  figures.grantsAdded += 1
  const remedied = rules.filter(({ remedy }) => remedy !== undefined).map(({ id }) => id)
  const principals = Array.from({ length: principalsEach }, () => randomPrincipal(random))
  for (let asked = 0; asked < questionsEach; asked += 1) {
    judgeOne(scene, randomQuestion(random, random.pick(principals), remedied))
    checkArguments(scene, random)
  }
}
