/**
 * The reading thread: a search over a long ledger stops neither the gateway nor the writer.
 * Stops: reading what is not committed.
 * Trusts: SQLite's snapshots.
 * Fails: with an answer that names the problem; the next question opens the file again.
 */
import type { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

import { findIntents } from './find-intents.ts'
import type { Answer, ReaderAnswer, ReaderRequest, ReaderSettings } from './messages.ts'
import { prove, readCheckpoint } from './prove.ts'
import { openForReading } from './schema.ts'
import { search } from './search.ts'

const settings = workerData as ReaderSettings
let database: DatabaseSync | undefined

/** One snapshot for the whole question: what is committed meanwhile is for the next one. */
function answer(source: DatabaseSync, request: ReaderRequest): ReaderAnswer {
  source.exec('BEGIN')
  try {
    switch (request.kind) {
      case 'search':
        return { kind: 'search', bodies: search(source, request.query) }
      case 'intents':
        return { kind: 'intents', intents: findIntents(source, request.stretch) }
      case 'checkpoint':
        return { kind: 'text', text: readCheckpoint(source) }
      case 'proof':
        return { kind: 'text', text: prove(source, request.asked) }
    }
  } finally {
    source.exec('COMMIT')
  }
}

parentPort?.on('message', (request: ReaderRequest) => {
  let reply: Answer<ReaderAnswer>
  try {
    database ??= openForReading(settings.folder)
    reply = { isDone: true, result: answer(database, request) }
  } catch (error) {
    database?.close()
    database = undefined
    reply = { isDone: false, problem: error instanceof Error ? error.message : 'unknown', kind: 'passing' }
  }
  parentPort?.postMessage(reply)
})
