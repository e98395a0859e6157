/** What a process and its children hold at one moment, as the operating system counts it. */
import { readdirSync, readFileSync } from 'node:fs'
import { allProcesses, treeOf } from '../../bench/process-cost.ts'

export interface Sample {
  readonly residentMegabytes: number
  /** Files, sockets and pipes. */
  readonly handles: number
  readonly children: number
}

/** @param pid of the gateway; its memory is its own, without its children's */
export function takeSample(pid: number): Sample {
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return {
    residentMegabytes: Math.round(Number(resident) / 1024),
    handles: readdirSync(`/proc/${pid}/fd`).length,
    children: treeOf(pid, allProcesses()).length - 1,
  }
}
