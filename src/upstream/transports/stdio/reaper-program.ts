/**
 * Which process groups must not outlive the gateway? A program of its own, run beside the gateway.
 *
 * Reads `+<group>` and `-<group>` lines; when its input ends it ends every group it holds: SIGTERM, 2 s, SIGKILL.
 * Stops: orphans of a gateway that ended in whatever way.
 * Trusts: the gateway, its only writer.
 * Fails: a group that has ended already is forgotten.
 */
import { createInterface } from 'node:readline'

const groups = new Set<number>()

function signalAll(signal: NodeJS.Signals): void {
  for (const group of groups) {
    try {
      process.kill(-group, signal)
    } catch {
      groups.delete(group)
    }
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const group = Number(line.slice(1))
    if (!Number.isSafeInteger(group) || group <= 1) return
    if (line.startsWith('+')) groups.add(group)
    else groups.delete(group)
  })
  .on('close', () => {
    signalAll('SIGTERM')
    if (groups.size > 0) setTimeout(() => signalAll('SIGKILL'), 2_000)
  })
