import { isProblem, readUpstreamMessage, type Message } from '#protocol'

export type Id = string | number

/** Where messages for the client go, and remarks for the person. */
export interface Client {
  /** Resolves when the client keeps up. */
  write(text: string): Promise<void>
  /** A line on stderr. */
  note(says: string): void
}

/** The message that a server sent; undefined for what is none. */
export function readServerMessage(text: string): Message | undefined {
  const message = readUpstreamMessage(text)
  return isProblem(message) ? undefined : message
}

export function isAnswerTo(message: Message, id: Id): boolean {
  return message.kind === 'response' && message.id === id
}
