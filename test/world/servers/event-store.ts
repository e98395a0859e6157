import { randomUUID } from 'node:crypto'
import type { JSONRPCMessage } from '@modelcontextprotocol/server'

/** Keeps the events of one session, for the official library, so that a stream that broke off can be resumed. */
export function createEventStore() {
  const events: { id: string; streamId: string; message: JSONRPCMessage }[] = []
  return {
    async storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
      const id = randomUUID()
      events.push({ id, streamId, message })
      return id
    },
    async replayEventsAfter(
      lastEventId: string,
      { send }: { send: (eventId: string, message: JSONRPCMessage) => Promise<void> },
    ): Promise<string> {
      const last = events.findIndex(({ id }) => id === lastEventId)
      const streamId = events[last]?.streamId ?? ''
      for (const { id, message } of events.slice(last + 1).filter((event) => event.streamId === streamId)) {
        // WHY: the library keeps the event that only tells where a stream begins as an empty message.
        if (Object.keys(message).length > 0) await send(id, message)
      }
      return streamId
    },
  }
}
