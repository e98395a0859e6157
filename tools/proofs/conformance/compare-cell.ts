/** Sets two runs of the official suite side by side: what was sent must not have made a difference to any check. */
import { answeredHere, notBridged, notBridgedToChildren } from './not-bridged.ts'
import { type Check, countOf, type Revision, type ScenarioRun, type SuiteRun } from '../../../test/conformance/suite.ts'

export interface Cell {
  readonly upstream: string
  readonly revision: Revision
  readonly holds: boolean
  /** Scored scenarios that pass through the gateway, of those there are. */
  readonly scored: { readonly passed: number; readonly of: number }
  readonly direct: Counts
  readonly through: Counts
  /** `scenario:check direct → through`, every one of them. */
  readonly differences: readonly string[]
  /** Those that the way to the upstream explains. */
  readonly explained: readonly string[]
  readonly way: Way
  readonly scenarios: readonly { readonly direct: ScenarioRun; readonly through: ScenarioRun | undefined }[]
  readonly trace: SuiteRun['trace']
}

type Counts = ReturnType<typeof countOf>

/**
 * How the gateway reaches the upstream: as the suite would, through a child's pipes, or in the other era: to a server of
 * 2026-07-28, or to one with sessions.
 */
export type Way = 'straight' | 'over-stdio' | 'bridged' | 'to-legacy' | 'to-legacy-stdio'

interface Pair {
  readonly upstream: string
  readonly revision: Revision
  readonly direct: SuiteRun
  readonly through: SuiteRun
  readonly way: Way
}

/**
 * A child answers by one message where nothing came before: there is no stream of HTTP that it could open or close. A
 * server of 2026-07-28 does not close streams to have them polled, because its revision knows no resumption.
 */
const streamsOfHttp = /^server-sse-(multiple-streams:server-sse-streams-functional|polling:)/

/** Nothing that fails or warns is ever explained. */
const isOfTransport = (difference: string): boolean =>
  streamsOfHttp.test(difference) && !/ → .*\b(?:FAILURE|WARNING)\b/.test(difference)

const rank: readonly Check['status'][] = ['FAILURE', 'WARNING', 'SKIPPED', 'INFO', 'SUCCESS']

/** The ends of each check, sorted, so that a check that is made often is compared as often. */
function endsOf(run: ScenarioRun | undefined): Map<string, Check[]> {
  const ends = new Map<string, Check[]>()
  for (const check of run?.checks ?? []) ends.set(check.id, [...(ends.get(check.id) ?? []), check])
  for (const checks of ends.values()) checks.sort((one, other) => rank.indexOf(one.status) - rank.indexOf(other.status))
  return ends
}

function differencesOf(direct: ScenarioRun, through: ScenarioRun | undefined): string[] {
  const [before, after] = [endsOf(direct), endsOf(through)]
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((id) => {
    const [had, has] = [before.get(id) ?? [], after.get(id) ?? []]
    const show = (checks: readonly Check[]): string => checks.map(({ status }) => status).join(' ') || 'absent'
    if (show(had) === show(has)) return []
    const says = has.find(({ errorMessage }) => errorMessage !== undefined)?.errorMessage
    return [
      `${direct.scenario}:${id} ${show(had)} → ${show(has)}${says === undefined ? '' : ` (${says.slice(0, 300)})`}`,
    ]
  })
}

const isPassed = ({ checks }: ScenarioRun): boolean =>
  checks.every(({ status }) => status !== 'FAILURE' && status !== 'WARNING')

const keyOf = (difference: string): string => difference.slice(0, difference.indexOf(' '))

/** Why a check ends otherwise on this way; undefined when it is not to. */
function reasonOf(key: string, way: Way): string | undefined {
  if (way === 'to-legacy') return notBridged[key] ?? answeredHere[key]
  return way === 'to-legacy-stdio' ? (notBridgedToChildren[key] ?? answeredHere[key]) : answeredHere[key]
}

const isExcusedRun = ({ scenario, checks }: ScenarioRun, way: Way): boolean =>
  checks
    .filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
    .every(({ id }) => reasonOf(`${scenario}:${id}`, way) !== undefined)

export function compareCell({ upstream, revision, direct, through, way }: Pair): Cell {
  const scenarios = direct.scenarios.map((one) => ({
    direct: one,
    through: through.scenarios.find(({ scenario }) => scenario === one.scenario),
  }))
  const differences = scenarios.flatMap((pair) => differencesOf(pair.direct, pair.through))
  const isExplained = (one: string): boolean =>
    (way !== 'straight' && isOfTransport(one)) || reasonOf(keyOf(one), way) !== undefined
  const explained = differences.filter(isExplained)
  const scored = through.scenarios.filter(({ isScored }) => isScored)
  const passed = scored.filter(isPassed).length
  const excused = scored.filter((run) => !isPassed(run) && isExcusedRun(run, way)).length
  const isComplete = direct.scenarios.filter(({ isScored }) => isScored).length === scored.length && scored.length > 0
  const isSame = differences.length === explained.length && direct.scenarios.length === through.scenarios.length
  return {
    upstream,
    revision,
    holds:
      isSame &&
      isComplete &&
      passed + excused === scored.length &&
      direct.exitCode === 0 &&
      (excused > 0 || through.exitCode === 0),
    scored: { passed, of: scored.length },
    direct: countOf(direct.scenarios),
    through: countOf(through.scenarios),
    differences,
    explained,
    way,
    scenarios,
    trace: through.trace,
  }
}

const showCounts = ({ passed, failed, warnings, skipped }: Counts): string =>
  `${passed} passed ${failed} failed ${warnings} warnings ${skipped} skipped`

function row({ direct, through }: Cell['scenarios'][number]): string {
  const [before, after] = [countOf([direct]), countOf(through === undefined ? [] : [through])]
  const show = ({ passed, failed, warnings }: Counts): string => `${passed}/${failed}/${warnings}`.padStart(9)
  const mark = showCounts(before) === showCounts(after) ? ' ' : '≠'
  return `  ${mark} ${direct.scenario.padEnd(50)}${show(before)}${show(after)}${direct.isScored ? '' : '  not scored'}`
}

/** The cell as lines: each scenario's checks passed, failed and warned of, directly and through. */
export function describeCell(cell: Cell): string {
  const { upstream, revision, scored, direct, through, differences, explained, way } = cell
  return [
    `  ${`${upstream} × ${revision}`.padEnd(52)}   direct  through   (passed/failed/warnings)`,
    ...cell.scenarios.map(row),
    `  direct:  ${showCounts(direct)}`,
    `  through: ${showCounts(through)}; ${scored.passed} of ${scored.of} scored scenarios pass`,
    ...differences.map((one) => {
      const why = reasonOf(keyOf(one), way)
      if (!explained.includes(one)) return `  DIFFERS: ${one}`
      return why === undefined ? `  by its transport: ${one}` : `  explained: ${one}: ${why}`
    }),
    `  ${cell.holds ? 'holds' : 'DOES NOT HOLD'}`,
  ].join('\n')
}
