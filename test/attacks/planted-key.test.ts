/**
 * Some readers of JSON remember the keys of earlier messages, and take the spelling of a key for one of those. Mallory
 * plants a key that is spelt like an escape, then sends a second name behind that escape: the gateway would judge the
 * first name, and the server carry out the second.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool, modern } from '../world/messages.ts'

/** What is planted in the place where the spelt name comes; both have as many characters once they are read. */
const spellings: [planted: string, spelt: string][] = [
  ['"\\\\u00":1', '"\\u006eame":"secret_tool"'],
  ['"n\\\\u0":1', '"n\\u0061me":"secret_tool"'],
  ['"nam\\\\":1', '"nam\\u0065":"secret_tool"'],
]

proves('MSG-3', 'a second name behind an escape is found, whatever keys were sent before it', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  for (const { message, headers } of [{ message: callTool('echo'), headers: {} }, modern(callTool('echo') as never)]) {
    const call = JSON.stringify(message)
    for (const [planted, spelt] of spellings) {
      const withMember = (member: string) => call.replace('"name":"echo"', `"name":"echo",${member}`)
      await world.post({ token, headers, message: withMember(planted) })
      const before = world.books.arrived.length
      const answer = await world.post({ token, headers, message: withMember(spelt) })
      expect(answer.status, spelt).toBe(400)
      expect(answer.body['error'], spelt).toMatchObject({ data: { code: 'gateway.message-refused' } })
      expect(world.books.arrived).toHaveLength(before)
    }
  }
  const refused = await world.ledger('&refusal=gateway.message-refused')
  expect(refused).toHaveLength(2 * spellings.length)
  expect(JSON.stringify(refused)).not.toContain('secret_tool')
})
