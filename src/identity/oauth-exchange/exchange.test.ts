import { describe, expect, test } from 'vitest'
import { reader, startWorld } from '../../../test/world/castellan.ts'
import { callTool } from '../../../test/world/messages.ts'
import { obtainTokens } from '../../../test/world/oauth/client.ts'
import { accessTokenType, addExchangingClient, placeOf } from '../../../test/world/oauth/exchange.ts'

const books = '/servers/books/mcp'

describe.each(['sqlite', 'postgres'] as const)('on %s', (database) => {
  test('a client exchanges a token of a person for one for another server, and the ledger names who acts', async () => {
    const world = await startWorld({ database })
    const ben = await world.join('ben', [reader])
    const client = await addExchangingClient(world, [books])
    const tokens = await obtainTokens(world.gatewayUrl, ben, { resource: placeOf(world, '/mcp') })

    const told = await client.exchange(tokens.accessToken)

    expect(told.status, JSON.stringify(told.body)).toBe(200)
    expect(told.body).toMatchObject({ issued_token_type: accessTokenType, token_type: 'Bearer', scope: 'mcp' })
    expect(told.body['refresh_token']).toBeUndefined()
    const token = String(told.body['access_token'])
    expect((await world.post({ token, message: callTool('echo') })).status).toBe(200)
    expect((await world.post({ token, upstream: '/mcp', message: callTool('echo') })).status).toBe(401)
    const [issued] = (await world.ledger('&event=oauth-token.issued')).slice(-1)
    const act = { id: client.id, name: 'agents', client: client.id }
    expect(issued?.details).toMatchObject({ actors: [act], subject: { client: tokens.clientId } })
    const [called] = (await world.ledger('&event=call.intended')).slice(-1)
    expect([called?.principal?.name, called?.details?.['actors']]).toEqual(['ben', [act]])
  })
})
