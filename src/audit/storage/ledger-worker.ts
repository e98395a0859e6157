/**
 * The writing thread: flushing to disk never stops the gateway's own thread.
 * Stops: a second use of a connection whose commit failed.
 * Trusts: its parent, for the order of batches.
 * Fails: with an answer that names the problem; the connection is closed at once.
 */
import { parentPort, workerData } from 'node:worker_threads'

import type { Answer, Opened, WriterRequest, WriterSettings } from './messages.ts'
import { Damage, OtherForm } from './schema.ts'
import { openTreeStore, type TreeStore } from './tree-store.ts'

const settings = workerData as WriterSettings
let store: TreeStore | undefined

function fence(): void {
  const failed = store
  store = undefined
  try {
    failed?.close()
  } catch {}
}

function answer(request: WriterRequest): Opened {
  if (request.kind === 'close' || request.kind === 'open') fence()
  if (request.kind === 'close') return { size: 0, lastEvent: undefined, unanswered: 0, cutBytes: 0 }
  if (request.kind === 'open') store = openTreeStore(settings)
  if (store === undefined) throw new Error('the ledger is not open')
  if (request.kind !== 'commit') return store.standing()
  store.commit(request)
  return { ...store.standing(), spare: request.bodies }
}

parentPort?.on('message', (request: WriterRequest) => {
  let reply: Answer<Opened>
  try {
    reply = { isDone: true, result: answer(request) }
  } catch (error) {
    // INVARIANT: after a failed flush nothing is known about the connection's pages, so it is never used again.
    fence()
    const problem = error instanceof Error ? error.message : 'unknown'
    const kind = error instanceof OtherForm ? 'other-form' : error instanceof Damage ? 'damaged' : 'passing'
    reply = { isDone: false, problem, kind }
  }
  const spare = reply.isDone ? reply.result.spare?.buffer : undefined
  parentPort?.postMessage(reply, spare === undefined ? [] : [spare])
  try {
    store?.tidy()
  } catch {
    // INVARIANT: no batch is lost by this; the next one is refused and the ledger is opened anew.
    fence()
  }
})
