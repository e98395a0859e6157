/** What a process and its children hold at one moment, as the operating system and the process itself count it. */
import { readdirSync, readFileSync } from 'node:fs'
import { allProcesses, treeOf } from '../../bench/process-cost.ts'
import { readExposition } from '../../test/world/exposition.ts'
import type { RunningCastellan } from '../../test/world/running-castellan.ts'

export interface Sample {
  readonly residentMegabytes: number
  /** Files, sockets and pipes. */
  readonly handles: number
  readonly children: number
  /** That are kept with upstreams, by kind. */
  readonly sessions: Readonly<Record<string, number>>
}

async function countSessions({ adminUrl, ana }: RunningCastellan): Promise<Sample['sessions']> {
  const response = await fetch(`${adminUrl}/metrics`, { headers: { authorization: `Bearer ${ana.sessionToken()}` } })
  if (!response.ok) throw new Error(`no metrics: ${response.status}`)
  const families = readExposition(await response.text())
  const samples = families.find(({ name }) => name === 'castellan_upstream_sessions')?.samples
  if (samples === undefined) throw new Error('the metrics do not tell how many sessions are kept')
  return Object.fromEntries(samples.map(({ labels, value }) => [String(labels['kind']), value]))
}

/** @returns the memory of the gateway alone, without its children's */
export async function takeSample(castellan: RunningCastellan): Promise<Sample> {
  const { pid } = castellan.program
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return {
    residentMegabytes: Math.round(Number(resident) / 1024),
    handles: readdirSync(`/proc/${pid}/fd`).length,
    children: treeOf(pid, allProcesses()).length - 1,
    sessions: await countSessions(castellan),
  }
}
