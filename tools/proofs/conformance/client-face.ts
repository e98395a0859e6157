/**
 * Castellan as the client of the official suite's servers: every scored scenario for clients, by a client of the same era
 * and by one of the other, which Castellan then has to translate for.
 */
import type { Era } from '#protocol'
import { type ClientRun, runClientScenario, scoredClientScenarios } from '../../../test/conformance/client-suite.ts'
import type { Revision } from '../../../test/conformance/suite.ts'

const revisions: readonly { readonly revision: Revision; readonly era: Era }[] = [
  { revision: '2025-11-25', era: 'legacy' },
  { revision: '2026-07-28', era: 'modern' },
]

/** Scenarios of which the suite wants that the client gets itself a token at the server's authorization server. */
const authorization = 'auth/'
const notTaken = 'Castellan gets itself no OAuth tokens for upstreams: it reaches them with what is configured'

const askedAsOfOld =
  'whether a server still speaks the revisions before is found out by asking it in them, once; the suite counts that request'

/** What a client of the other era cannot be made to pass, scenario by scenario. */
const notBridgedForClients: Readonly<Record<string, string>> = {
  'legacy request-metadata': askedAsOfOld,
  'legacy http-standard-headers': askedAsOfOld,
}

interface Row {
  readonly name: string
  readonly passed: number
  readonly failures: readonly string[]
  readonly reason: string | undefined
  readonly holds: boolean
}

function judge({ scenario, revision, clientEra, checks }: ClientRun, isOwnEra: boolean): Row {
  const bad = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
  const failures = bad.map(({ id, errorMessage = '' }) => `${id} ${errorMessage.slice(0, 200)}`.trim())
  const passed = checks.filter(({ status }) => status === 'SUCCESS').length
  const reason = isOwnEra || bad.length === 0 ? undefined : notBridgedForClients[`${clientEra} ${scenario}`]
  const holds = reason !== undefined || (bad.length === 0 && passed > 0)
  return { name: `${clientEra} client × ${scenario} × ${revision}`, passed, failures, reason, holds }
}

function describe({ name, passed, failures, reason, holds }: Row): string {
  const end = holds ? (reason === undefined ? '' : `not bridged: ${reason}`) : `DOES NOT HOLD: ${failures.join('; ')}`
  return `  ${name.padEnd(75)}${String(passed).padStart(3)}/${failures.length} ${end}`
}

export interface ClientFace {
  readonly holds: boolean
  /** Of those that are not about authorization: passed by clients of the same era, and of the other. */
  readonly scenarios: number
  readonly ownEra: number
  readonly otherEra: number
  readonly notBridged: Readonly<Record<string, string>>
  readonly notTaken: { readonly scenarios: number; readonly reason: string }
}

export async function proveClientFace(): Promise<ClientFace> {
  console.log("\nCastellan as the client of the suite's servers (checks passed/not)")
  const own: Row[] = []
  const other: Row[] = []
  let withTokens = 0
  for (const { revision, era } of revisions) {
    const scored = scoredClientScenarios(revision)
    const taken = scored.filter((scenario) => !scenario.startsWith(authorization))
    withTokens += scored.length - taken.length
    for (const scenario of taken) {
      for (const clientEra of ['legacy', 'modern'] as const) {
        const row = judge(await runClientScenario({ scenario, revision, clientEra }), clientEra === era)
        console.log(describe(row))
        void (clientEra === era ? own : other).push(row)
      }
    }
  }
  const passedOf = (rows: readonly Row[]): number => rows.filter(({ failures }) => failures.length === 0).length
  const rows = [...own, ...other]
  return {
    holds: own.length > 0 && rows.every(({ holds }) => holds),
    scenarios: own.length,
    ownEra: passedOf(own),
    otherEra: passedOf(other),
    notBridged: Object.fromEntries(rows.flatMap(({ name, reason }) => (reason === undefined ? [] : [[name, reason]]))),
    notTaken: { scenarios: withTokens, reason: notTaken },
  }
}
