import { Fault } from '#kernel'

/** One server-sent event as MCP uses it. */
export interface Frame {
  /** The text of one JSON-RPC message; empty for a priming event, a keep-alive comment or a bare `retry`. */
  readonly body: string
  readonly eventId?: string
  readonly retryMs?: number
  /** An event of the HTTP with SSE of 2024-11-05 that is no message: `body` is where messages are posted. Only written, never read. */
  readonly type?: 'endpoint'
}

export interface EventReader {
  /**
   * Takes the next bytes, cut anywhere, and returns the events they complete.
   * @throws Fault `protocol.event-too-large` when one event grows beyond the limit; the stream cannot be read on
   */
  read(chunk: Uint8Array): Frame[]
}

export interface EventReaderOptions {
  /** Bytes one event may take, field names and line ends included. */
  readonly maxEventBytes: number
  /** Told of each event that has another type than `message`, which is no MCP message. */
  readonly onOther?: (type: string, data: string) => void
}

const lf = 0x0a
const cr = 0x0d
const colon = 0x3a
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/** Longest name of a position, in UTF-16 units: a client sends it back in a header. */
const maxEventIdLength = 1_024

interface OpenEvent {
  data: string[]
  bytes: number
  /** Set for an event that is no message. */
  otherType?: string | undefined
  hasComment: boolean
  eventId?: string
  retryMs?: number
}

function openEvent(): OpenEvent {
  return { data: [], bytes: 0, hasComment: false }
}

function takeField(event: OpenEvent, field: string, value: string): void {
  if (field === 'data') event.data.push(value)
  else if (field === 'event') event.otherType = value === '' || value === 'message' ? undefined : value
  else if (field === 'id' && value.length <= maxEventIdLength && !value.includes('\u0000')) event.eventId = value
  else if (field === 'retry' && /^\d{1,9}$/.test(value)) event.retryMs = Number(value)
}

function takeLine(event: OpenEvent, line: Buffer): void {
  const at = line.indexOf(colon)
  if (at === 0) {
    event.hasComment = true
    return
  }
  if (at === -1) return takeField(event, line.toString('utf8'), '')
  const from = line[at + 1] === 0x20 ? at + 2 : at + 1
  takeField(event, line.toString('latin1', 0, at), line.toString('utf8', from))
}

function close(event: OpenEvent): Frame | undefined {
  // WHY: events of other types are not MCP messages; their id still moves the cursor.
  const body = event.otherType === undefined ? event.data.join('\n') : ''
  if (body === '' && !event.hasComment && event.eventId === undefined && event.retryMs === undefined) return undefined
  return {
    body,
    ...(event.eventId === undefined ? {} : { eventId: event.eventId }),
    ...(event.retryMs === undefined ? {} : { retryMs: event.retryMs }),
  }
}

/**
 * An incremental reader of `text/event-stream` (WHATWG HTML, section 9.2.6): LF, CR and CRLF, comments, multi-line
 * data, a byte order mark at the start. An event that the stream's end cuts off is never returned.
 */
export function createEventReader({ maxEventBytes, onOther }: EventReaderOptions): EventReader {
  let event = openEvent()
  let parts: Buffer[] = []
  let isStart = true
  let isLfSwallowed = false

  function lineOf(bytes: Buffer): Buffer {
    const line = parts.length === 0 ? bytes : Buffer.concat([...parts, bytes])
    parts = []
    if (!isStart) return line
    isStart = false
    return line.subarray(0, 3).equals(byteOrderMark) ? line.subarray(3) : line
  }

  function count(bytes: number): void {
    event.bytes += bytes
    if (event.bytes > maxEventBytes) throw new Fault('protocol.event-too-large', 'an event exceeds the limit')
  }

  function endLine(bytes: Buffer, frames: Frame[]): void {
    const line = lineOf(bytes)
    if (line.length > 0) return takeLine(event, line)
    const frame = close(event)
    if (event.otherType !== undefined) onOther?.(event.otherType, event.data.join('\n'))
    event = openEvent()
    if (frame !== undefined) frames.push(frame)
  }

  return {
    read(chunk) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      const frames: Frame[] = []
      let at = 0
      let nextCr = bytes.indexOf(cr)
      while (at < bytes.length) {
        if (isLfSwallowed) {
          isLfSwallowed = false
          if (bytes[at] === lf) {
            at += 1
            continue
          }
        }
        if (nextCr !== -1 && nextCr < at) nextCr = bytes.indexOf(cr, at)
        const nextLf = bytes.indexOf(lf, at)
        const end = nextCr === -1 || (nextLf !== -1 && nextLf < nextCr) ? nextLf : nextCr
        if (end === -1) {
          count(bytes.length - at)
          parts.push(Buffer.from(bytes.subarray(at)))
          break
        }
        count(end - at + 1)
        isLfSwallowed = bytes[end] === cr
        endLine(bytes.subarray(at, end), frames)
        at = end + 1
      }
      return frames
    },
  }
}

/** The text of one event: `id`, `retry`, then the message, on as many data lines as it has lines. */
export function writeEvent(frame: Frame): string {
  // WHY: an id with a line break would end the field and start another one of the sender's choice.
  const hasId = frame.eventId !== undefined && !/[\r\n\u0000]/.test(frame.eventId)
  const id = hasId ? `id: ${frame.eventId}\n` : ''
  const retry = frame.retryMs === undefined ? '' : `retry: ${frame.retryMs}\n`
  if (frame.body === '') return id === '' && retry === '' ? ':\n\n' : `${id}${retry}data: \n\n`
  const isOneLine = !frame.body.includes('\n') && !frame.body.includes('\r')
  const body = isOneLine ? frame.body : frame.body.split(/\r\n|\r|\n/).join('\ndata: ')
  return `event: ${frame.type ?? 'message'}\n${id}${retry}data: ${body}\n\n`
}
