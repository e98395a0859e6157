import { expect, test } from 'vitest'
import { createTestClock } from '../../../test/world/clock.ts'
import { createTestSealer } from '../../../test/world/identity.ts'
import { mayAsk } from './pace.ts'
import { startWorld, type World } from '../../../test/world/castellan.ts'
import { post, register } from '../../../test/world/oauth/client.ts'
import { eachDatabase } from '../../../test/world/databases.ts'

const [clock, sealer] = [createTestClock(Date.now()), createTestSealer()]
const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'

/** A device that shows a code. @returns what it is told each time it asks */
async function startDevice({ gatewayUrl }: World): Promise<() => Promise<unknown>> {
  const metadata = { grant_types: [grant_type, 'refresh_token'], response_types: [], redirect_uris: [] }
  const client_id = String((await register(gatewayUrl, metadata)).body['client_id'])
  const resource = `${gatewayUrl}/servers/books/mcp`
  const { body } = await post(gatewayUrl, '/oauth/device', { client_id, resource, scope: 'mcp' })
  const asking = { client_id, grant_type, device_code: String(body['device_code']) }
  return async () => {
    const told = await post(gatewayUrl, '/oauth/token', asking)
    expect(told.status).toBe(400)
    return told.body['error']
  }
}

test.each(['sqlite', 'postgres'] as const)(
  'a device that asks too often is told so, and waits longer (%s)',
  async (database) => {
    const world = await startWorld({ database })
    const ask = await startDevice(world)
    const after = (ms: number): Promise<unknown> => {
      world.clock.advance(ms)
      return ask()
    }
    expect(await ask()).toBe('authorization_pending')
    expect(await after(4_500)).toBe('authorization_pending')
    expect(await after(4_499)).toBe('slow_down')
    // Ten seconds from when it last asked in time; then fifteen.
    expect(await after(5_000)).toBe('slow_down')
    expect(await after(5_001)).toBe('authorization_pending')
    expect(await after(14_499)).toBe('slow_down')
    expect(await after(5_001)).toBe('authorization_pending')
    // Whoever never listens is not kept out, and is answered twice a minute.
    for (let time = 0; time < 5; time++) expect(await after(1)).toBe('slow_down')
    expect(await after(29_494)).toBe('slow_down')
    expect(await after(1)).toBe('authorization_pending')
  },
)

eachDatabase('the pace of a device', (open, openAgain) => {
  test('of two nodes that are asked at one moment, one was asked in time', async () => {
    const database = await open()
    const nodes = [database, await openAgain(database)].map((of) => ({ database: of, clock, sealer }))
    const both = async () => {
      const answers = await Promise.all(nodes.map((parts) => mayAsk(parts, 'a device')))
      return answers.filter(Boolean).length
    }
    expect(await both()).toBe(1)
    clock.advance(31_000)
    expect(await both()).toBe(1)
    expect(await both()).toBe(0)
  })

  test('each device has a pace of its own', async () => {
    const parts = { database: await open(), clock, sealer }
    expect(await mayAsk(parts, 'one')).toBe(true)
    expect(await mayAsk(parts, 'other')).toBe(true)
    expect(await mayAsk(parts, 'one')).toBe(false)
  })
})
