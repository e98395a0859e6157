/** What a process and its children have cost so far, as the operating system counts it, all their threads included. */
import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts the time of processes in hundredths of a second, whatever its own clock. */
const ticksPerSecond = 100

export interface ProcessStat {
  readonly pid: number
  readonly parent: number
  /** User and system time of all threads, and of children that have ended. */
  readonly cpuSeconds: number
}

/** Reads one line of `/proc/<pid>/stat`. @see proc_pid_stat(5) */
export function readStat(line: string): ProcessStat {
  // WHY: the second field is a name in parentheses that may hold spaces and parentheses itself.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  const [utime, stime, endedUtime, endedStime] = fields.slice(11, 15).map(Number)
  const ticks = (utime ?? 0) + (stime ?? 0) + (endedUtime ?? 0) + (endedStime ?? 0)
  return { pid: Number.parseInt(line, 10), parent: Number(fields[1]), cpuSeconds: ticks / ticksPerSecond }
}

/** The processes of a tree: the root and everything it started. */
export function treeOf(root: number, all: readonly ProcessStat[]): ProcessStat[] {
  const found = all.filter(({ pid }) => pid === root)
  for (const one of found) found.push(...all.filter(({ parent }) => parent === one.pid))
  return found
}

/** Every process of the machine. */
export function allProcesses(): ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [readStat(readFileSync(`/proc/${name}/stat`, 'utf8'))]
      } catch {
        // WHY: it has ended since the folder was listed.
        return []
      }
    })
}

function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes ?? 0) * 1024
}

export interface Cost {
  readonly cpuSeconds: number
  readonly residentBytes: number
}

export function costOf(root: number): Cost {
  const tree = treeOf(root, allProcesses())
  return {
    cpuSeconds: tree.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    residentBytes: tree.reduce((sum, { pid }) => sum + residentBytes(pid), 0),
  }
}
