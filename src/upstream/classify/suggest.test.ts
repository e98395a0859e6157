import { unclassified } from '#kernel'
import { expect, test } from 'vitest'
import { suggestClassification } from './suggest.ts'

const suggested = (annotations: unknown) => suggestClassification({ name: 'x', annotations })

test('a tool that says nothing of itself is thought of as the worst', () => {
  for (const definition of [undefined, null, 'x', {}, { annotations: 'read' }, { annotations: [] }]) {
    expect(suggestClassification(definition)).toEqual(unclassified)
  }
  expect(suggested({})).toEqual(unclassified)
})

test('hints lower what is suggested only where they say so plainly', () => {
  expect(suggested({ readOnlyHint: true }).effect).toBe('read')
  expect(suggested({ readOnlyHint: 'true' }).effect).toBe('execute')
  expect(suggested({ destructiveHint: false }).effect).toBe('write')
  expect(suggested({ destructiveHint: true }).effect).toBe('execute')
  expect(suggested({ readOnlyHint: true, destructiveHint: true }).effect).toBe('read')
  expect(suggested({ openWorldHint: false })).toMatchObject({ bringsUntrusted: false, isOutlet: false })
  expect(suggested({ openWorldHint: true })).toMatchObject({ bringsUntrusted: true, isOutlet: true })
  expect(suggested({ readOnlyHint: true, openWorldHint: false }).sensitivity).toBe('restricted')
})
