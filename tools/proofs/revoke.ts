/** What was taken back ends at once, everywhere, and nothing else does: under load, with many open streams, at two nodes. */
import { parseArgs } from 'node:util'
import { withPostgres } from '../kill/postgres.ts'
import { type Figures, measure } from '../revoke/measure.ts'
import type { Proof } from './contract.ts'

const usualStreams = 500
const usualTimes = 10
const mostP99Ms = 1_000
/** Of the ledgers of both nodes together. */
const mostEntriesRead = 1_000

function whole(name: string, written: string): number {
  if (/^[1-9]\d{0,5}$/.test(written)) return Number(written)
  throw new Error(`${name} takes a whole number`)
}

function hasHeld({ kinds, problems, disturbed, cutEntries, ledgersVerify }: Figures): boolean {
  const inTime = kinds.every(({ p99Ms, recorded, times }) => p99Ms <= mostP99Ms && recorded >= times)
  const cut = kinds.reduce((sum, { streams }) => sum + streams, 0)
  const isRecorded = cutEntries >= Math.min(cut, mostEntriesRead)
  return inTime && isRecorded && problems.length === 0 && disturbed === 0 && ledgersVerify
}

function show(name: string, { kinds, problems }: Figures): void {
  console.log(`\n${name}: from the answer of the admin API until nothing passes at either node, in ms`)
  console.table(Object.fromEntries(kinds.map(({ name: kind, ...figures }) => [kind, figures])))
  for (const problem of problems.slice(0, 5)) console.log(`WRONG: ${problem}`)
}

export const proof: Proof = {
  shows:
    'users, clients, tokens, grants, sessions, keys and upstreams that are revoked pass nothing after a second, at two nodes',
  async run(flags) {
    const { values } = parseArgs({
      args: [...flags],
      options: {
        streams: { type: 'string', default: String(usualStreams) },
        times: { type: 'string', default: String(usualTimes) },
        only: { type: 'string' },
        on: { type: 'string', default: 'both' },
      },
    })
    const plan = {
      streams: whole('--streams', values.streams),
      times: whole('--times', values.times),
      only: values.only,
    }
    const parts: Record<string, Figures> = {}
    if (values.on !== 'sqlite') {
      parts['postgres'] = await withPostgres((url) => measure({ ...plan, env: { CASTELLAN_DATABASE__URL: url } }))
      show('PostgreSQL', parts['postgres'])
    }
    if (values.on !== 'postgres') {
      parts['sqlite'] = await measure({ ...plan, env: {} })
      show('SQLite', parts['sqlite'])
    }
    const holds = Object.values(parts).every(hasHeld) && values.only === undefined && values.on === 'both'
    return { holds, openStreams: plan.streams, ...parts }
  },
}
