/** The process that makes the load, and what it noted. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Group, Order, Told } from './load-contract.ts'

const program = fileURLToPath(new URL('load-program.ts', import.meta.url))

export interface Load {
  /** Resolves when all its streams are open and all its callers were let in once. @throws when one was not */
  open(plan: Group): Promise<Told>
  /** Resolves when nothing of the group passes any more; it is given up then. */
  settle(group: string): Promise<Told>
  report(group: string): Promise<Told>
  end(): void
}

export function startLoad(): Load {
  const child = fork(program)
  const waiting = new Map<string, (told: Told) => void>()
  child.on('message', (told: Told) => waiting.get(told.group)?.(told))
  const give = (group: string, order: Order): Promise<Told> =>
    new Promise((resolve) => {
      waiting.set(group, resolve)
      child.send(order)
    })
  return {
    async open(plan) {
      const told = await give(plan.group, { do: 'open', plan })
      if (told.problems.length > 0) throw new Error(`${plan.group}: ${told.problems.slice(0, 3).join('; ')}`)
      return told
    },
    settle: (group) => give(group, { do: 'settle', group }),
    report: (group) => give(group, { do: 'report', group }),
    end: () => child.disconnect(),
  }
}
