/** What the official suite asks a server to have, told once, and served with either line of the official library. */

export type Json = Record<string, unknown>

export type Content =
  | { type: 'text'; text: string }
  | { type: 'image' | 'audio'; data: string; mimeType: string }
  | { type: 'resource'; resource: { uri: string; mimeType: string; text: string } }

/** What a tool may do besides answering. */
export interface Desk {
  /** Tells how far it is; says nothing to a caller that did not ask. */
  progress(done: number, total: number): Promise<void>
  log(text: string): Promise<void>
  /** Asks the client. In a revision without requests to clients the call starts over, with the answer. */
  ask(key: string, method: 'elicitation/create' | 'sampling/createMessage', params: Json): Promise<Json>
  /** Closes the stream of the call where it can be resumed. */
  hangUp(): void
}

export interface ReferenceTool {
  readonly name: string
  readonly description: string
  /** None when it takes no arguments. */
  readonly inputSchema?: Json
  call(desk: Desk, given: Json): Promise<Content[]>
}

export const text = (value: string): Content => ({ type: 'text', text: value })

/** One red pixel. */
export const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC'

/** A WAV header and no sample. */
export const wav = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA='
