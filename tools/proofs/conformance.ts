/**
 * A gateway that changes the protocol breaks clients that nobody has met. The official suite runs against reference
 * servers directly and through Castellan, with tokens, policy and ledger on, and every check has to end the same way.
 */
import { type Revision, runSuite } from '../../test/conformance/suite.ts'
import {
  legacyOnlyStdioCommand,
  modernOnlyStdioCommand,
  type RunningUpstream,
  startUpstream,
  stdioCommand,
} from '../../test/conformance/upstreams.ts'
import { type RunningCastellan, runCastellan } from '../../test/world/running-castellan.ts'
import { proveClientFace } from './conformance/client-face.ts'
import { compareCell, describeCell, type Cell, type Way } from './conformance/compare-cell.ts'
import { examineLedger } from './conformance/examine-ledger.ts'
import { notBridged } from './conformance/not-bridged.ts'
import type { Proof, ProofOutcome } from './contract.ts'

/** What stands behind the gateway, and what the suite is pointed at to know what it is worth without one. */
interface Subject {
  readonly name: string
  readonly revisions: readonly Revision[]
  readonly direct: RunningUpstream
  readonly place: string | readonly string[]
  readonly way: Way
}

const older: readonly Revision[] = ['2025-03-26', '2025-06-18']
const legacy: Revision = '2025-11-25'
const modern: Revision = '2026-07-28'

interface Subjects {
  readonly subjects: readonly Subject[]
  end(): Promise<void>
}

async function startSubjects(): Promise<Subjects> {
  const [both, old, young, first] = await Promise.all([
    startUpstream('both-eras'),
    startUpstream('legacy-only'),
    startUpstream('modern-only'),
    startUpstream('first-line'),
  ])
  const subjects: readonly Subject[] = [
    { name: 'both-eras', revisions: [...older, legacy, modern], direct: both, place: both.url, way: 'straight' },
    { name: 'legacy-only', revisions: [legacy], direct: old, place: old.url, way: 'straight' },
    { name: 'sdk-1', revisions: [legacy], direct: first, place: first.url, way: 'straight' },
    // WHY: the suite does not speak stdio; the same server over HTTP is the reference.
    { name: 'stdio', revisions: [legacy, modern], direct: both, place: stdioCommand, way: 'over-stdio' },
    // WHY: without Castellan these cells do not exist; the same server in the suite's own era is the reference.
    { name: 'modern-only', revisions: [...older, legacy], direct: both, place: young.url, way: 'bridged' },
    { name: 'modern-stdio', revisions: [legacy], direct: both, place: modernOnlyStdioCommand, way: 'bridged' },
    { name: 'legacy-bridged', revisions: [modern], direct: both, place: old.url, way: 'to-legacy' },
    { name: 'legacy-stdio', revisions: [modern], direct: both, place: legacyOnlyStdioCommand, way: 'to-legacy-stdio' },
  ]
  return {
    subjects,
    end: async () => {
      for (const upstream of [both, old, young, first]) await upstream.end()
    },
  }
}

/** A role that grants what the suite uses and nothing else, held by somebody who is no administrator. */
async function grantAll({ ana }: RunningCastellan, names: readonly string[]): Promise<string> {
  const role = 'conformance'
  const resources = names.flatMap((name) => [
    name,
    ...['tools', 'resources', 'prompts'].map((kind) => `${name}/${kind}/*`),
  ])
  const permissions = ['servers:use', 'tools:call', 'resources:read', 'prompts:get', 'roots:share']
  const description = 'uses the reference servers'
  const { status, body } = await ana.api('PUT', `/roles/${role}`, { description, grants: [{ permissions, resources }] })
  if (status >= 300) throw new Error(`the role was refused: ${status} ${JSON.stringify(body)}`)
  return role
}

/** The gateway lets nobody in without a token: what passes through it passed because of one. */
async function refusesStrangers({ gatewayUrl }: RunningCastellan, name: string) {
  const url = `${gatewayUrl}/servers/${name}/mcp`
  const { exitCode, trace } = await runSuite({ url, revision: legacy, scenario: 'ping', token: 'none-of-ours' })
  return { isRefused: exitCode !== 0, trace }
}

async function runCells(castellan: RunningCastellan, subjects: readonly Subject[]): Promise<Cell[]> {
  for (const { name, place } of subjects) await castellan.addUpstream(name, place)
  const names = subjects.map(({ name }) => name)
  const ben = await castellan.join('ben', [await grantAll(castellan, names)])
  const cells: Cell[] = []
  for (const { name, revisions, direct, way } of subjects) {
    const token = await ben.mint(name)
    for (const revision of revisions) {
      const url = `${castellan.gatewayUrl}/servers/${name}/mcp`
      console.log(`\n${name} × ${revision}: running directly, then through the gateway`)
      const reference = await runSuite({ url: direct.url, revision })
      const through = await runSuite({ url, revision, token })
      const cell = compareCell({ upstream: name, revision, direct: reference, through, way })
      console.log(describeCell(cell))
      cells.push(cell)
    }
  }
  return cells
}

async function run(): Promise<ProofOutcome> {
  const startedAt = performance.now()
  const { subjects, end } = await startSubjects()
  try {
    const castellan = await runCastellan()
    try {
      const cells = await runCells(castellan, subjects)
      const stranger = await refusesStrangers(castellan, 'both-eras')
      console.log(`with a token that is none: ${stranger.isRefused ? 'refused' : 'NOT REFUSED'}\n`)
      const ledger = await examineLedger(castellan, [...cells.map(({ trace }) => trace), stranger.trace])
      for (const problem of ledger.problems) console.log(`ledger: ${problem}`)
      const clientFace = await proveClientFace()
      return {
        holds:
          cells.every(({ holds }) => holds) && stranger.isRefused && ledger.problems.length === 0 && clientFace.holds,
        cells: cells.map(({ upstream, revision, scored, direct, through, differences, holds }) => ({
          upstream,
          revision,
          holds,
          scored,
          direct,
          through,
          differences,
        })),
        requests: ledger.requests,
        exchanges: ledger.exchanges,
        entries: ledger.entries,
        ledgerProblems: ledger.problems,
        isStrangerRefused: stranger.isRefused,
        notBridged,
        clientFace,
        seconds: Math.round((performance.now() - startedAt) / 1_000),
      }
    } finally {
      await castellan.end()
    }
  } finally {
    await end()
  }
}

export const proof: Proof = {
  shows:
    'the official conformance suite ends the same through Castellan as without it, and the ledger has every request',
  run,
}
