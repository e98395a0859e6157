/**
 * The thread where the official engine judges again what was decided: it never stops the gateway's own thread.
 * Stops: nothing by itself: it answers what it is asked.
 * Trusts: its parent.
 * Fails: what it cannot judge is answered with the problem.
 */
import { parentPort } from 'node:worker_threads'
import { createJudge, type Ask } from '../cedar/judge.ts'
import type { OfficialAnswer, OfficialRequest } from './official-thread.ts'

const prepare = createJudge()
let ask: Ask | undefined

function answer({ rules, call }: OfficialRequest): OfficialAnswer {
  const startedAt = performance.now()
  if (rules !== undefined) {
    // INVARIANT: after rules that the engine does not read, nobody is judged by those before.
    ask = undefined
    ask = prepare(rules)
  }
  if (ask === undefined) throw new Error('there are no rules to judge by')
  return { verdict: ask(call), ms: performance.now() - startedAt }
}

parentPort?.on('message', (request: OfficialRequest) => {
  let said: OfficialAnswer
  try {
    said = answer(request)
  } catch (error) {
    said = { problem: error instanceof Error ? error.message : 'unknown', ms: 0 }
  }
  parentPort?.postMessage(said)
})
