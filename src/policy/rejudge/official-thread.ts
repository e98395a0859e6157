/**
 * A line to the thread of the official engine: one question at a time, each with one answer.
 * Stops: a process that does not end because of it.
 * Trusts: the thread to answer in order.
 * Fails: what is asked of a thread that died is answered with the problem; the next question starts a new one.
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { OfficialCall, OfficialRule, Verdict } from '../cedar/judge.ts'

export interface OfficialRequest {
  /** Where they are others than those of the question before. */
  readonly rules?: readonly OfficialRule[]
  readonly call: OfficialCall
}

export type OfficialAnswer = { readonly ms: number } & (
  | { readonly verdict: Verdict; readonly problem?: never }
  | { readonly verdict?: never; readonly problem: string }
)

export interface OfficialThread {
  /** To be called again only when the answer is there. Never rejects. */
  ask(rules: readonly OfficialRule[], call: OfficialCall): Promise<OfficialAnswer>
}

/** The thread starts with the first question, and never keeps the process alive. */
export function createOfficialThread(): OfficialThread {
  let current: { readonly worker: Worker; told?: readonly OfficialRule[] } | undefined
  let settle: ((answer: OfficialAnswer) => void) | undefined

  function end(answer: OfficialAnswer): void {
    const waiting = settle
    settle = undefined
    waiting?.(answer)
  }

  function start(): { readonly worker: Worker; told?: readonly OfficialRule[] } {
    const location = new URL(`./official-worker${extname(import.meta.url)}`, import.meta.url)
    const worker = new Worker(location, { env: {}, execArgv: [] })
    const lose = (problem: string) => {
      if (current?.worker !== worker) return
      current = undefined
      end({ problem, ms: 0 })
    }
    worker.on('message', end)
    worker.on('error', (error) => lose(error instanceof Error ? error.message : 'its thread failed'))
    worker.on('exit', () => lose('its thread ended'))
    worker.unref()
    return { worker }
  }

  return {
    ask(rules, call) {
      const thread = (current ??= start())
      const isNew = thread.told !== rules
      thread.told = rules
      const request: OfficialRequest = isNew ? { rules, call } : { call }
      return new Promise((resolve) => {
        settle = resolve
        thread.worker.postMessage(request)
      })
    },
  }
}
