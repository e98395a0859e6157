/**
 * A line to one of the ledger's threads: questions in order, one answer each.
 * Stops: a question left without an answer when its thread dies.
 * Trusts: the thread to answer in order.
 * Fails: by rejecting everything asked of a thread that died; the next question starts a new one.
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

import type { Answer, ProblemKind } from './messages.ts'

/** The thread answered that it could not. */
export class ThreadProblem extends Error {
  readonly kind: ProblemKind
  constructor(message: string, kind: ProblemKind) {
    super(message)
    this.kind = kind
  }
}

export interface Thread<Request, Result> {
  /**
   * @param given memory in the request that the thread takes over
   * @throws ThreadProblem when the thread could not do it or died
   */
  ask(request: Request, given?: ArrayBuffer): Promise<Result>
  end(): Promise<void>
}

interface Waiting<Result> {
  resolve(result: Result): void
  reject(problem: ThreadProblem): void
}

/** @param name file beside this one, without extension: the same in source and when compiled */
export function createThread<Request, Result>(name: string, settings: unknown): Thread<Request, Result> {
  const waiting: Waiting<Result>[] = []
  let current: Worker | undefined

  function start(): Worker {
    const location = new URL(`./${name}${extname(import.meta.url)}`, import.meta.url)
    const worker = new Worker(location, { workerData: settings, env: {}, execArgv: [] })
    const lose = (reason: string) => {
      if (current !== worker) return
      current = undefined
      for (const each of waiting.splice(0)) each.reject(new ThreadProblem(reason, 'passing'))
    }
    worker.on('message', (answer: Answer<Result>) => {
      const asked = waiting.shift()
      if (waiting.length === 0) worker.unref()
      if (answer.isDone) asked?.resolve(answer.result)
      else asked?.reject(new ThreadProblem(answer.problem, answer.kind))
    })
    worker.on('error', (error) => lose(`its thread failed: ${error instanceof Error ? error.message : 'unknown'}`))
    worker.on('exit', () => lose('its thread ended'))
    return worker
  }

  return {
    ask(request, given) {
      const worker = (current ??= start())
      worker.ref()
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        worker.postMessage(request, given === undefined ? [] : [given])
      })
    },
    async end() {
      const worker = current
      current = undefined
      for (const each of waiting.splice(0)) each.reject(new ThreadProblem('the ledger is closed', 'passing'))
      await worker?.terminate()
    },
  }
}
