import { expect } from 'vitest'
import type { Doors, Heard, Knock } from './knock.ts'

export interface Expected {
  readonly status: number
  readonly code: number
  /** The id in the answer; none when it is left out. */
  readonly id?: unknown
  readonly headers?: Record<string, string | RegExp>
  /** What the ledger says. */
  readonly refusal?: string
}

/** Sends what is refused: the answer, the silence at the upstream and the entry in the ledger are as expected. */
export async function expectRefused(doors: Doors, knock: Knock, expected: Expected): Promise<Heard> {
  const { world, arrived } = doors
  const before = arrived()
  const heard = await doors.knock(knock)
  expect(heard.status, heard.text).toBe(expected.status)
  if (knock.httpMethod !== 'HEAD') {
    expect(heard.json.error?.code, heard.text).toBe(expected.code)
    expect(heard.json.id, heard.text).toBe(expected.id)
    expect(Object.hasOwn(heard.json, 'id')).toBe(expected.id !== undefined)
  }
  for (const [name, value] of Object.entries(expected.headers ?? {})) expect(heard.headers[name]).toMatch(value)
  expect(arrived(), 'the upstream saw nothing').toBe(before)
  const refused = await world.ledger('&event=call.refused')
  const refusal = expected.refusal ?? 'gateway.message-refused'
  expect(refused.find(({ seq }) => String(seq) === heard.headers['castellan-entry'])?.refusal).toBe(refusal)
  return heard
}
