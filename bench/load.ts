/** Starts the process that makes the load, and orders runs of it: so that the load's own work is not the runner's. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Era } from './messages.ts'

export interface LoadTarget {
  readonly port: number
  /** The `Host` field. */
  readonly host: string
  readonly path: string
  /** Of the people who call, each of whom has an equal share of the connections. */
  readonly tokens: readonly string[]
  readonly era: Era
}

export interface LoadOrder {
  readonly target: LoadTarget
  /** Each has one call under way. */
  readonly connections: number
  readonly seconds: number
}

export interface LoadResult {
  readonly calls: number
  /** Answers that were not the right one, and connections that broke. */
  readonly errors: number
  /** The first few of them. */
  readonly problems: readonly string[]
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface Load {
  /** Resolves when every call that was begun has its answer. */
  run(order: LoadOrder): Promise<LoadResult>
  end(): void
}

export function startLoad(): Load {
  const child = fork(fileURLToPath(new URL('load-program.ts', import.meta.url)), { stdio: 'inherit' })
  const ended = once(child, 'exit').then(() => {
    throw new Error('the load generator ended')
  })
  ended.catch(() => undefined)
  return {
    async run(order) {
      child.send(order)
      const [result] = (await Promise.race([once(child, 'message'), ended])) as [LoadResult | { failed: string }]
      if ('failed' in result) throw new Error(result.failed)
      return result
    },
    end: () => void child.kill(),
  }
}
