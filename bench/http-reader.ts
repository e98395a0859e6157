/**
 * Reads HTTP/1.1 messages from a raw socket for the load generator and the upstream: as little work as possible, so that
 * the machine's time goes to the subject. Knows content lengths and chunks, and trusts its own peers; not for strangers.
 */

export interface HttpMessage {
  /** The request line or status line, and all fields. */
  readonly head: string
  readonly body: string
}

const headEnd = '\r\n\r\n'

/** The value of a header field, with the field's name in lower case. */
export function fieldOf(head: string, name: string): string | undefined {
  const at = head.toLowerCase().indexOf(`\r\n${name}:`)
  if (at === -1) return undefined
  const end = head.indexOf('\r\n', at + 2)
  return head.slice(at + name.length + 3, end === -1 ? undefined : end).trim()
}

const lengthField = /\r\ncontent-length: *(\d+)/i

function readChunks(text: string, from: number): { body: string; end: number } | undefined {
  let body = ''
  let at = from
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd === -1) return undefined
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    const start = lineEnd + 2
    if (text.length < start + size + 2) return undefined
    if (size === 0) return { body, end: start + 2 }
    body += text.slice(start, start + size)
    at = start + size + 2
  }
}

/**
 * Makes a reader that is fed with what a socket receives, as latin1 text, and tells each message that is complete.
 * @param onMessage called in order; a body is latin1, one character for each byte
 */
export function createHttpReader(onMessage: (message: HttpMessage) => void): (text: string) => void {
  let kept = ''

  function takeOne(text: string): number {
    const headLength = text.indexOf(headEnd)
    if (headLength === -1) return 0
    const head = text.slice(0, headLength)
    const start = headLength + headEnd.length
    const length = lengthField.exec(head)?.[1]
    if (length === undefined && fieldOf(head, 'transfer-encoding') === 'chunked') {
      const chunked = readChunks(text, start)
      if (chunked === undefined) return 0
      onMessage({ head, body: chunked.body })
      return chunked.end
    }
    const end = start + Number(length ?? 0)
    if (text.length < end) return 0
    onMessage({ head, body: text.slice(start, end) })
    return end
  }

  return (received) => {
    let text = kept === '' ? received : kept + received
    while (text !== '') {
      const taken = takeOne(text)
      if (taken === 0) break
      text = text.slice(taken)
    }
    kept = text
  }
}
