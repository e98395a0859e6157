import { isAnswerTo, readServerMessage, type Client, type Id } from './messages.ts'
import { errorOfStatus } from './problem.ts'
import type { HttpAnswer } from './wire.ts'
import type { Message } from '#protocol'

/** What an answer did for the request it belongs to. */
export interface Delivered {
  readonly isAnswered: boolean
  /** Position in an event stream that ended too early. */
  readonly lastEventId?: string | undefined
  readonly retryMs?: number | undefined
}

/** @param watch told of each message before it is written */
export interface Delivery {
  readonly id: Id
  readonly client: Client
  readonly watch: (message: Message) => void
}

async function deliverJson(answer: HttpAnswer, { id, client, watch }: Delivery): Promise<Delivered> {
  const text = await answer.text()
  const message = readServerMessage(text)
  if (message !== undefined && isAnswerTo(message, id)) {
    watch(message)
    await client.write(text)
  } else {
    const { status } = answer
    await client.write(errorOfStatus(id, { status, text, retryAfter: answer.header('retry-after') }))
  }
  return { isAnswered: true }
}

/** Writes the messages of an event stream until the answer to a request came. */
export async function deliverFrames(
  answer: HttpAnswer,
  { id, client, watch }: Omit<Delivery, 'id'> & { id: Id | undefined },
): Promise<Delivered> {
  let lastEventId: string | undefined
  let retryMs: number | undefined
  try {
    for await (const frame of answer.frames()) {
      lastEventId = frame.eventId ?? lastEventId
      retryMs = frame.retryMs ?? retryMs
      if (frame.body === '') continue
      const message = readServerMessage(frame.body)
      if (message === undefined) {
        client.note('the server sent something that is no message; it was left out')
        continue
      }
      watch(message)
      await client.write(frame.body)
      if (id !== undefined && isAnswerTo(message, id)) return { isAnswered: true }
    }
  } catch (error) {
    // WHY: a stream with positions can be read on from the last one, so its breaking is not yet a failure.
    if (lastEventId === undefined) throw error
  } finally {
    answer.end()
  }
  return { isAnswered: false, lastEventId, retryMs }
}

/** Writes what the answer to a request holds. @throws CliFailure when the connection breaks */
export async function deliver(answer: HttpAnswer, delivery: Delivery): Promise<Delivered> {
  const isGood = answer.status >= 200 && answer.status < 300
  if (isGood && answer.type === 'text/event-stream') return deliverFrames(answer, delivery)
  return deliverJson(answer, delivery)
}
