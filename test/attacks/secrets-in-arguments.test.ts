/**
 * An agent puts what it should not into a call: keys, passwords, cards and addresses of people, at any depth, under
 * harmless names. Whoever reads the ledger later, or steals its file, must not find them there.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'

const secrets = {
  password: 'hunter2-canary-in-password',
  nested: { deeper: [{ 'API-Key': 'canary-under-api-key', harmless: 'AKIAIOSFODNN7CANARY1' }] },
  note: 'call me at ben.canary@example.com or pay with 4539 1488 0343 6467, thanks',
  header: 'Authorization: Bearer canary.bearer.token-value',
  jwt: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ',
  url: 'postgres://canary-user:canary-password@db.example.com/x',
  iban: 'DE89370400440532013000',
  key: '-----BEGIN PRIVATE KEY-----\nMIICcanarycanarycanary\n-----END PRIVATE KEY-----',
  'ben.key@example.com': 'an address as a key',
}

const canaries = [
  'hunter2-canary',
  'canary-under-api-key',
  'AKIAIOSFODNN7CANARY1',
  'ben.canary@example.com',
  '4539 1488 0343 6467',
  'canary.bearer.token-value',
  'c2lnbmF0dXJlLWNhbmFyeQ',
  'canary-password',
  'DE89370400440532013000',
  'MIICcanary',
  'ben.key@example.com',
]

proves('LED-4', 'secrets and personal data in arguments reach the upstream but not the ledger', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  const params = { name: 'echo', arguments: secrets }
  const answer = await world.post({ token, message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params } })
  expect(answer.status).toBe(200)
  const arrived = world.books.calls('tools/call')[0]?.message?.params
  expect(arrived).toEqual(params)

  const [intent] = await world.ledger('&event=call.intended')
  expect(JSON.stringify(intent?.details)).toContain('[secret]')
  await world.stop()
  const files = ['ledger.db', 'ledger.db-wal'].map((name) => {
    try {
      return readFileSync(join(world.dataDir, name), 'latin1')
    } catch {
      return ''
    }
  })
  const stored = files.join('')
  expect(stored).toContain('call.intended')
  for (const canary of canaries) expect(stored, canary).not.toContain(canary)
})
