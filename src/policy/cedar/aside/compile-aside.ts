/**
 * A line to the thread where large policies are compiled.
 * Stops: a policy of thousands of rules that holds up every request while the official engine reads it; a process that does
 * not end because of the thread, or ends while something waits for it.
 * Trusts: the thread to answer each source once.
 * Fails: what a thread was asked that died is a Fault, never an empty policy; the next source starts a new one.
 */
import { extname } from 'node:path'
import { setImmediate as others } from 'node:timers/promises'
import { deserialize } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { Fault } from '#kernel'
import { compilePolicy } from '../compile.ts'
import type { Compilation, CompiledRule, PolicyProblem, PolicySource } from '../source.ts'
import { isSmall } from './is-small.ts'

export interface CompileRequest {
  readonly id: number
  readonly source: PolicySource
  readonly version: number
}

export type CompileAnswer = { readonly id: number } & (
  | {
      readonly is: 'compiled'
      /** Rules in their order, so many at a time that reading them takes little. */
      readonly parts: readonly Uint8Array[]
      readonly cedar: string
      readonly warnings: readonly PolicyProblem[]
    }
  | { readonly is: 'invalid'; readonly problems: readonly PolicyProblem[] }
  | { readonly is: 'failed'; readonly code: string; readonly says: string }
)

interface Thread {
  readonly worker: Worker
  readonly waiting: Map<number, PromiseWithResolvers<CompileAnswer>>
}

const died = () => new Fault('policy.unavailable', 'the thread that compiles policies ended')

/** The thread starts with the first question. */
function createLine() {
  let current: Thread | undefined
  let asked = 0

  function start(): Thread {
    const location = new URL(`./compile-worker${extname(import.meta.url)}`, import.meta.url)
    const worker = new Worker(location, { env: {}, execArgv: [] })
    const thread: Thread = { worker, waiting: new Map() }
    const lose = () => {
      if (current === thread) current = undefined
      for (const { reject } of thread.waiting.values()) reject(died())
      thread.waiting.clear()
    }
    worker.on('message', (answer: CompileAnswer) => {
      thread.waiting.get(answer.id)?.resolve(answer)
      thread.waiting.delete(answer.id)
      if (thread.waiting.size === 0) worker.unref()
    })
    worker.on('error', lose)
    worker.on('exit', lose)
    return thread
  }

  return function ask(source: PolicySource, version: number): Promise<CompileAnswer> {
    const thread = (current ??= start())
    const waiting = Promise.withResolvers<CompileAnswer>()
    asked += 1
    thread.waiting.set(asked, waiting)
    const { roles, files } = source
    const request: CompileRequest = { id: asked, source: { roles, files }, version }
    // WHY: while something waits for it, the process must not end.
    thread.worker.ref()
    thread.worker.postMessage(request)
    return waiting.promise
  }
}

const ask = createLine()

async function read(answer: CompileAnswer): Promise<Compilation> {
  if (answer.is === 'failed') throw new Fault(answer.code, answer.says)
  if (answer.is === 'invalid') return { isValid: false, problems: answer.problems }
  const rules: CompiledRule[] = []
  for (const part of answer.parts) {
    rules.push(...(deserialize(part) as CompiledRule[]))
    await others()
  }
  return { isValid: true, policy: { rules, cedar: answer.cedar }, warnings: answer.warnings }
}

/**
 * As `compilePolicy`, without holding up this thread.
 * @throws Fault `policy.uncompilable` as that; `policy.unavailable` when the thread ended
 */
export async function compileAside(source: PolicySource, version: number): Promise<Compilation> {
  if (isSmall(source)) return compilePolicy(source, version)
  return read(await ask(source, version))
}
