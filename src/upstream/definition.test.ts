import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isDefinitionApproved, maxDefinitionBytes, readTool, type Pin } from './definition.ts'

const definition = {
  name: 'echo',
  description: 'Echoes.',
  inputSchema: { type: 'object' },
  _meta: { 'x/y': [1, { a: 1 }] },
}

function approved(of: unknown): Pin {
  const offered = readTool(of)
  if (offered === undefined) throw new Error('no tool')
  const { tool, hash } = offered
  return {
    upstream: 'u',
    tool,
    status: 'approved',
    approvedHash: hash,
    seenHash: hash,
    seenAt: 0,
    isRejected: false,
  }
}

test('the order of members does not count, everything else does', () => {
  const pin = approved(definition)
  const { name, ...rest } = definition
  expect(isDefinitionApproved(pin, { ...rest, name })).toBe(true)
  for (const change of [
    { description: 'Echoes!' },
    { description: 'Echoes.\u200b' },
    { title: 'Echo' },
    { annotations: { readOnlyHint: true } },
    { inputSchema: { type: 'object', properties: {} } },
    { _meta: { 'x/y': [{ a: 1 }, 1] } },
    { future: null },
  ]) {
    expect(isDefinitionApproved(pin, { ...definition, ...change })).toBe(false)
  }
})

test('any two definitions that differ have two hashes', () => {
  const tool = fc.dictionary(fc.string(), fc.jsonValue()).map((extra) => ({ ...extra, name: 'echo' }))
  fc.assert(
    fc.property(tool, tool, (one, other) => {
      const isSame = JSON.stringify(readTool(one)?.canonical) === JSON.stringify(readTool(other)?.canonical)
      expect(isDefinitionApproved(approved(one), other)).toBe(isSame)
      expect(isDefinitionApproved(approved(one), JSON.parse(JSON.stringify(one)))).toBe(true)
    }),
  )
})

test('without an approval in force nothing is approved', () => {
  const { approvedHash: _, ...never } = approved(definition)
  expect(isDefinitionApproved(undefined, definition)).toBe(false)
  expect(isDefinitionApproved({ ...never, status: 'new' }, definition)).toBe(false)
  expect(isDefinitionApproved({ ...approved(definition), status: 'changed' }, definition)).toBe(false)
  expect(isDefinitionApproved({ ...approved(definition), tool: 'other' }, definition)).toBe(false)
})

test.each([
  null,
  'echo',
  [],
  {},
  { name: 1 },
  { name: '' },
  { name: 'a\u0000b' },
  { name: 'a\ud800' },
  { name: 'a'.repeat(257) },
])('%j is no tool', (value) => {
  expect(readTool(value)).toBeUndefined()
})

test('a definition is kept up to 64 KiB; of a larger one, its name and the hash of all of it', () => {
  const around = JSON.stringify({ description: '', name: 'echo' }).length
  const of = (bytes: number, letter = 'a') => ({ name: 'echo', description: letter.repeat(bytes - around) })
  expect(maxDefinitionBytes).toBe(64 * 1024)
  expect(readTool(of(64 * 1024))?.canonical).toHaveLength(64 * 1024)
  const large = readTool(of(64 * 1024 + 1))
  expect(large).toMatchObject({ canonical: '{"name":"echo"}', tooLargeBytes: 64 * 1024 + 1 })
  expect(readTool(of(64 * 1024 + 1, 'b'))?.hash).not.toBe(large?.hash)
  expect(readTool({ name: 'a'.repeat(256) })).toBeDefined()
})
