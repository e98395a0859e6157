import { expect, test } from 'vitest'
import { maxBatchMessages, splitBatch } from './batch.ts'

const split = (text: string, version?: string) => splitBatch(Buffer.from(text), version)
const texts = (text: string) => {
  const parts = split(text)
  return Array.isArray(parts) ? parts.map(String) : parts
}

test('each message is what was sent, to the letter', () => {
  expect(texts(' [ {"a": 1.0e2 , "b":[1,2]} ,"x",[ ],{"é":"]"}] ')).toEqual([
    '{"a": 1.0e2 , "b":[1,2]}',
    '"x"',
    '[ ]',
    '{"é":"]"}',
  ])
})

test.each(['{}', '', 'x', '"[]"'])('%j is no batch', (text) => {
  expect(split(text)).toBeUndefined()
})

test.each(['2024-11-05', '2025-06-18', '2025-11-25', '2026-07-28'])('%s has no batches', (version) => {
  expect(split('[{}]', version)).toBeUndefined()
})

test('a batch is read at the limit; with one message more it is refused', () => {
  const of = (count: number) => `[${Array.from({ length: count }, () => '{}').join(',')}]`
  expect(texts(of(maxBatchMessages))).toHaveLength(100)
  expect(split(of(maxBatchMessages + 1))).toMatchObject({ code: -32600 })
})

test.each([
  ['[]', -32600],
  ['[{"jsonrpc":"2.0","id":1,"method":"initialize"}]', -32600],
  ['[{"method":"ping"},{"m\\u0065thod":"initialize"}]', -32600],
  ['[{]', -32700],
  ['[1', -32700],
  ['['.repeat(65) + ']'.repeat(65), -32600],
])('%j is refused', (text, code) => {
  expect(split(text)).toMatchObject({ code })
})
