import pg from 'pg'
import { connectionSettings } from './postgres.ts'

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
 * Listens on a connection of its own and proves every 300 ms that it is alive. When it has not been proved
 * for a second, every call of `revision` answers a new number, so that nothing is taken from a cache.
 * @throws when the first connection cannot be made
 */
export async function listenForRevision(url: string): Promise<RevisionListener> {
  const state = { revision: 1, provedAt: Number.NEGATIVE_INFINITY, isClosed: false }
  let client: pg.Client | undefined = await listen(url, state)
  let beat = setTimeout(tick, heartbeatMs)
  beat.unref()

  async function tick(): Promise<void> {
    client = await proveOrReconnect(url, client, state)
    if (state.isClosed) return
    beat = setTimeout(tick, heartbeatMs)
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
      await client?.end().catch(() => undefined)
    },
  }
}

interface ListenState {
  revision: number
  /** When the last question that was answered had been asked. */
  provedAt: number
  isClosed: boolean
}

async function listen(url: string, state: ListenState): Promise<pg.Client> {
  const client = new pg.Client({ ...connectionSettings(url), query_timeout: longestSilenceMs })
  const lost = () => {
    if (!state.isClosed) state.provedAt = Number.NEGATIVE_INFINITY
  }
  client.on('error', lost)
  client.on('end', lost)
  client.on('notification', () => state.revision++)
  const askedAt = performance.now()
  try {
    await client.connect()
    await client.query('listen castellan_changed')
  } catch (error) {
    void client.end().catch(() => undefined)
    throw error
  }
  // WHY: what was announced before this connection listened was missed.
  state.revision++
  state.provedAt = askedAt
  return client
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
    const askedAt = performance.now()
    await client.query('select 1')
    state.provedAt = askedAt
    return client
  } catch {
    state.provedAt = Number.NEGATIVE_INFINITY
    void client?.end().catch(() => undefined)
    return undefined
  }
}
