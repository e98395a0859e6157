/**
 * The writing thread: flushing to disk never stops the gateway's own thread.
 * Stops: a second use of a connection whose commit failed.
 * Trusts: its parent, for the order of batches.
 * Fails: with an answer that names the problem; the connection is closed at once.
 */
import { parentPort, workerData } from 'node:worker_threads'

import type { Answer, Opened, WriterRequest, WriterSettings } from './messages.ts'
import { Damage, openTreeStore, type TreeStore } from './tree-store.ts'

const settings: WriterSettings = workerData
let store: TreeStore | undefined

function fence(): void {
  const failed = store
  store = undefined
  try {
    failed?.close()
  } catch {}
}

function answer(request: WriterRequest): Opened | number {
  if (request.kind === 'close') {
    fence()
    return 0
  }
  if (request.kind === 'open') {
    fence()
    store = openTreeStore(settings)
    return store.opened
  }
  if (store === undefined) throw new Error('the ledger is not open')
  return store.commit(request.firstSeq, request.bodies, request.timeMs)
}

parentPort?.on('message', (request: WriterRequest) => {
  let reply: Answer<Opened | number>
  try {
    reply = { isDone: true, result: answer(request) }
  } catch (error) {
    // INVARIANT: after a failed flush nothing is known about the connection's pages, so it is never used again.
    fence()
    const problem = error instanceof Error ? error.message : 'unknown'
    reply = { isDone: false, problem, isDamaged: error instanceof Damage }
  }
  parentPort?.postMessage(reply)
})
