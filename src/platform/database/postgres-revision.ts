import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { connectionSettings, withoutWaitingLong } from './postgres.ts'

const heartbeatMs = 300
const trustedForMs = 1_000
const longestSilenceMs = 5_000

/** Knows whether anything was committed, by listening for the announcements of the triggers. */
export interface RevisionListener {
  revision(): number
  /** Counts a change of this program at once, without waiting for its announcement to come back. */
  moved(): void
  close(): Promise<void>
}

/**
 * Listens on a connection of its own and proves every 300 ms that announcements arrive. When that has not been
 * proved for a second, every call of `revision` answers a new number, so that nothing is taken from a cache.
 * @throws when the first connection cannot be made
 */
export async function listenForRevision(url: string): Promise<RevisionListener> {
  const state: ListenState = {
    revision: 1,
    provedAt: Number.NEGATIVE_INFINITY,
    isClosed: false,
    channel: `castellan_beat_${randomBytes(8).toString('hex')}`,
    heard: () => undefined,
  }
  let client: pg.Client | undefined = await listen(url, state)
  let beat = setTimeout(() => void tick(), heartbeatMs)
  beat.unref()

  async function tick(): Promise<void> {
    client = await proveOrReconnect(url, client, state)
    if (state.isClosed) return
    beat = setTimeout(() => void tick(), heartbeatMs)
    beat.unref()
  }

  return {
    revision() {
      if (performance.now() - state.provedAt > trustedForMs) state.revision++
      return state.revision
    },
    moved() {
      state.revision++
    },
    async close() {
      state.isClosed = true
      clearTimeout(beat)
      if (client !== undefined) await withoutWaitingLong(client.end())
    },
  }
}

interface ListenState {
  revision: number
  /** When the last beat that was heard had been sent. */
  provedAt: number
  isClosed: boolean
  /** Hears the beats of this listener: its channel is nobody else's. */
  readonly channel: string
  heard: (beat: string) => void
}

async function listen(url: string, state: ListenState): Promise<pg.Client> {
  const client = new pg.Client({ ...connectionSettings(url, longestSilenceMs), query_timeout: longestSilenceMs })
  const lost = () => {
    if (!state.isClosed) state.provedAt = Number.NEGATIVE_INFINITY
  }
  client.on('error', lost)
  client.on('end', lost)
  client.on('notification', ({ channel, payload }) => {
    if (channel === state.channel) state.heard(payload ?? '')
    else state.revision++
  })
  try {
    await client.connect()
    await client.query(`listen castellan_changed; listen ${state.channel}`)
    // WHY: what was announced before this connection listened was missed.
    state.revision++
    await prove(client, state)
  } catch (error) {
    void client.end().catch(() => undefined)
    throw error
  }
  return client
}

/**
 * Sends an announcement to itself. WHY: an answered query would prove the connection only; behind a pooler that
 * shares sessions the queries are answered and the announcements go astray.
 */
async function prove(client: pg.Client, state: ListenState): Promise<void> {
  const sentAt = performance.now()
  const beat = String(sentAt)
  let timer: NodeJS.Timeout | undefined
  const heard = new Promise<void>((resolve, reject) => {
    state.heard = (payload) => (payload === beat ? resolve() : undefined)
    timer = setTimeout(() => reject(new Error('announcements of changes do not arrive')), longestSilenceMs)
  })
  try {
    await Promise.all([heard, client.query('select pg_notify($1, $2)', [state.channel, beat])])
    state.provedAt = sentAt
  } finally {
    clearTimeout(timer)
  }
}

async function proveOrReconnect(
  url: string,
  client: pg.Client | undefined,
  state: ListenState,
): Promise<pg.Client | undefined> {
  try {
    if (client === undefined) {
      const fresh = await listen(url, state)
      if (state.isClosed) await fresh.end()
      return fresh
    }
    await prove(client, state)
    return client
  } catch {
    state.provedAt = Number.NEGATIVE_INFINITY
    void client?.end().catch(() => undefined)
    return undefined
  }
}
