import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createEventReader, writeEvent, type Frame } from './event-stream.ts'

function readAll(chunks: Uint8Array[], maxEventBytes = 1_000_000): Frame[] {
  const reader = createEventReader({ maxEventBytes })
  return chunks.flatMap((chunk) => reader.read(chunk))
}

const read = (text: string, maxEventBytes?: number) => readAll([Buffer.from(text)], maxEventBytes)

function cut(bytes: Buffer, places: number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((one, other) => one - other)
  return [...at, bytes.length].map((end, index) => bytes.subarray(at[index - 1] ?? 0, end))
}

test('an event has its data, id and retry', () => {
  expect(read('id: 4\nretry: 250\nevent: message\ndata: {"a":1}\n\n')).toEqual([
    { body: '{"a":1}', eventId: '4', retryMs: 250 },
  ])
})

test('lines end with LF, CR or CRLF, and a byte order mark at the start is skipped', () => {
  for (const end of ['\n', '\r', '\r\n']) {
    expect(read(`\ufeffdata:1${end}data: 2${end}${end}data:  3${end}${end}`)).toEqual([
      { body: '1\n2' },
      { body: ' 3' },
    ])
  }
})

test('a priming event, a comment and a bare retry are frames without body', () => {
  expect(read('id: p\ndata: \n\n:keep\n\nretry: 5\n\n')).toEqual([
    { body: '', eventId: 'p' },
    { body: '' },
    { body: '', retryMs: 5 },
  ])
})

test('events of another type give no message, only their id', () => {
  expect(read('event: endpoint\ndata: /x\n\nevent: other\nid: 3\ndata: y\n\n')).toEqual([{ body: '', eventId: '3' }])
})

test('unknown fields, ids with a zero and retries that are no number are left out', () => {
  expect(read('x: 1\nid: a\u0000\nretry: -1\ndata: d\n\n')).toEqual([{ body: 'd' }])
})

test('an event that the end of the stream cuts off is not given', () => {
  expect(read('data: 1\n\ndata: 2\n')).toEqual([{ body: '1' }])
})

test('an event is read at the limit and refused one byte past it, whole or without any line end', () => {
  const event = 'data: 1234\n\n'
  expect(read(event, event.length)).toEqual([{ body: '1234' }])
  expect(() => read(event, event.length - 1)).toThrow('exceeds')
  expect(() => readAll([Buffer.alloc(64, 0x61), Buffer.alloc(64, 0x61)], 127)).toThrow('exceeds')
  expect(() => read(':\n'.repeat(64), 127)).toThrow('exceeds')
})

test('wherever the bytes are cut, the frames are the same', () => {
  const part = fc.constantFrom(
    'data: ä',
    'data',
    'data:€',
    ':c',
    'id: 1',
    'retry: 2',
    'event: message',
    '\r',
    '\n',
    '\r\n',
    '\n\n',
    '',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), fc.array(fc.nat(), { maxLength: 20 }), (parts, places) => {
      const bytes = Buffer.from(parts.join(''))
      expect(readAll(cut(bytes, places))).toEqual(readAll([bytes]))
      expect(readAll([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(readAll([bytes]))
    }),
  )
})

test('what is written is read back, and nothing in it can add an event', () => {
  const frame = fc.record(
    {
      body: fc.string({ unit: fc.constantFrom('a', ' ', ':', '\n', '{', 'data: x', '\u2028', 'é') }),
      eventId: fc.string({ unit: fc.constantFrom('a', ' ', '\n', '\r', '\u0000', ':') }),
      retryMs: fc.nat({ max: 999_999 }),
    },
    { requiredKeys: ['body'] },
  )
  fc.assert(
    fc.property(fc.array(frame), (frames) => {
      const seen = read(frames.map(writeEvent).join(''))
      expect(seen.map((event) => event.body)).toEqual(frames.map((sent) => sent.body))
      for (const [index, sent] of frames.entries()) {
        const isSafe = sent.eventId !== undefined && !/[\r\n\u0000]/.test(sent.eventId)
        expect(seen[index]?.eventId).toBe(isSafe ? sent.eventId : undefined)
      }
    }),
  )
})

test('whatever bytes come in, only whole lines of known fields go out, and they are read back as they were', () => {
  const piece = fc.oneof(
    { arbitrary: fc.constantFrom('data: ', 'data:', 'id: ', 'retry: ', 'event: ', ': '), weight: 4 },
    { arbitrary: fc.constantFrom('\n', '\r', '\r\n', '\n\n', '\r\r'), weight: 5 },
    { arbitrary: fc.constantFrom('\u0000', '\u2028', '\ufeff', 'é', '😀', '{}', '7', 'data', ' '), weight: 4 },
  )
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((each) => Buffer.from(each)),
    fc.array(piece, { maxLength: 40 }).map((pieces) => Buffer.from(pieces.join(''))),
  )
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(), { maxLength: 8 }), (sent, places) => {
      const frames = readAll(cut(sent, places))
      const written = frames.map(writeEvent)
      for (const text of written) {
        expect(text).toMatch(/\n\n$/)
        for (const line of text.split(/\r\n|\r|\n/))
          expect(line).toMatch(/^(?:|:|event: message|(?:id|retry|data): [^]*)$/)
      }
      const isKept = ({ body, eventId, retryMs }: Frame) => ({ body, eventId, retryMs })
      expect(read(written.join('')).map(isKept)).toEqual(frames.map(isKept))
    }),
    { numRuns: 3_000 },
  )
})

test('a position is kept at the longest length and left out one unit past it', () => {
  const positions = (length: number) =>
    read(`id: ${'p'.repeat(length)}\ndata: d\n\n`).map(({ eventId }) => eventId?.length)
  expect(positions(1_024)).toEqual([1_024])
  expect(positions(1_025)).toEqual([undefined])
})
