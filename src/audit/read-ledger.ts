/**
 * What the ledger says, for people who may ask: on its own thread and its own read-only connection.
 * Stops: reading entries that are not durable; searches without bounds.
 * Trusts: its caller, to have decided that the asker may read.
 * Fails: with Misuse on a senseless query, with Fault when the file cannot be read.
 */
import { Fault, Misuse } from '#kernel'

import type { Entry } from './entry.ts'
import type {
  AskedProof,
  Intents,
  LedgerQuery,
  ReaderAnswer,
  ReaderRequest,
  ReaderSettings,
  Stretch,
} from './storage/messages.ts'
import { createThread } from './storage/thread.ts'

/** Most entries one question returns. */
export const mostEntries = 1000
/** Most entries that are looked at for their intents at once. */
export const longestStretch = 10_000

export interface LedgerReader {
  read(query: LedgerQuery): Promise<Entry[]>
  intents(stretch: Stretch): Promise<Intents>
  checkpoint(): Promise<string | undefined>
  prove(asked: AskedProof): Promise<string | undefined>
  end(): Promise<void>
}

const isPlace = (place: number): boolean => Number.isSafeInteger(place) && place >= 0

function checkQuery({ after, before, limit }: LedgerQuery): void {
  if (!isPlace(after ?? 0) || !isPlace(before ?? 0))
    throw new Misuse('audit.query', '`after` and `before` are places in the ledger', 'use whole numbers from 0')
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= mostEntries))
    throw new Misuse('audit.query', '`limit` is out of range', `use 1 to ${mostEntries}`)
}

function checkStretch({ after, upTo }: Stretch): void {
  if (!isPlace(after) || !isPlace(upTo) || upTo - after > longestStretch)
    throw new Misuse(
      'audit.query',
      'the stretch of the ledger is too long',
      `ask for ${longestStretch} entries at most`,
    )
}

export function createLedgerReader(folder: string): LedgerReader {
  const settings: ReaderSettings = { folder }
  const thread = createThread<ReaderRequest, ReaderAnswer>('reader-worker', settings)

  async function ask(request: ReaderRequest): Promise<ReaderAnswer> {
    try {
      return await thread.ask(request)
    } catch (error) {
      throw unreadable(error)
    }
  }

  return {
    async read(query) {
      checkQuery(query)
      const answer = await ask({ kind: 'search', query })
      if (answer.kind !== 'search') throw unreadable()
      try {
        return answer.bodies.map((body) => JSON.parse(body) as Entry)
      } catch (error) {
        throw unreadable(error)
      }
    },
    async intents(stretch) {
      checkStretch(stretch)
      const answer = await ask({ kind: 'intents', stretch })
      if (answer.kind !== 'intents') throw unreadable()
      return answer.intents
    },
    checkpoint: async () => textOf(await ask({ kind: 'checkpoint' })),
    async prove(asked) {
      if (!Object.values(asked).every(isPlace) || ('seq' in asked && asked.seq === 0))
        throw new Misuse('audit.query', 'what is to be proved is a place in the ledger', 'use a whole number from 1')
      return textOf(await ask({ kind: 'proof', asked }))
    },
    end: thread.end,
  }
}

function textOf(answer: ReaderAnswer): string | undefined {
  if (answer.kind !== 'text') throw unreadable()
  return answer.text
}

function unreadable(cause?: unknown): Fault {
  return new Fault('audit.ledger-unreadable', 'the ledger cannot be read', { cause })
}
