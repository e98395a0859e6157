/** Forged and misused tokens of other issuers, by themselves and at a running gateway, and good ones beside them. */
import { badKinds } from '../tokens/bad.ts'
import { goodKinds } from '../tokens/good.ts'
import { judgeAlone } from '../tokens/judge-alone.ts'
import { judgeOverHttp } from '../tokens/judge-gateway.ts'
import { surfaces } from '../tokens/send.ts'
import type { Proof, ProofOutcome } from './contract.ts'

const fewestBadKinds = 150
const shown = 20
/** Fetches of keys that two issuers may see: the first, and one for each pause. */
const pauseSeconds = 10

function mostFetches(seconds: number): number {
  return 2 * (2 + Math.ceil(seconds / pauseSeconds))
}

async function run(): Promise<ProofOutcome> {
  const alone = await judgeAlone()
  console.log(`${badKinds.length} bad kinds, ${goodKinds.length} good kinds`)
  console.log(`alone: ${alone.refused} refused, ${alone.accepted} accepted, ${alone.left} rows left`, alone.reasons)
  const overHttp = await judgeOverHttp()
  const { wrong: _wrong, ...figures } = overHttp
  console.log(`over HTTP, in ${surfaces.length} ways:`, figures)
  const wrong = [...alone.wrong, ...overHttp.wrong]
  for (const one of wrong.slice(0, shown)) console.log(`wrong: ${one}`)
  const allBad = alone.refused === badKinds.length && overHttp.refused === overHttp.sent
  const allGood = alone.accepted === goodKinds.length && overHttp.accepted === 2 * goodKinds.length
  const nothingElse = alone.left === 0 && overHttp.reached === 0 && overHttp.strayFetches === 0
  const isSparing = overHttp.fetches <= mostFetches(overHttp.seconds)
  const ended = Object.values(overHttp.ends).every(Boolean)
  const enough = badKinds.length >= fewestBadKinds
  return {
    holds: wrong.length === 0 && allBad && allGood && nothingElse && isSparing && ended && enough,
    badKinds: badKinds.length,
    goodKinds: goodKinds.length,
    refusedShare: (alone.refused + overHttp.refused) / (badKinds.length + overHttp.sent),
    acceptedShare: (alone.accepted + overHttp.accepted) / (3 * goodKinds.length),
    wrong: wrong.length,
    ...figures,
  }
}

export const proof: Proof = {
  shows: 'every forged or misused token of another issuer is refused, every good one accepted, alone and over HTTP',
  run,
}
