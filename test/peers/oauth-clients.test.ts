/**
 * The official client libraries go the whole way by themselves: told 401, they find the authorization server, register, send
 * their person to the pages, redeem the code, call, and refresh.
 */
import { describe, expect, onTestFinished, test } from 'vitest'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { post } from '../world/oauth/client.ts'
import { type Kept, libraries, type Library } from '../world/oauth/libraries.ts'
import { createVisitor } from '../world/oauth/visitor.ts'
import type { Person } from '../world/people.ts'

async function authorize(world: World, person: Person, library: Library): Promise<{ kept: Kept; url: URL }> {
  const url = new URL(`${world.gatewayUrl}/servers/books/mcp`)
  const kept: Kept = {}
  await expect(library.connect(url, kept)).rejects.toThrow(library.asksPerson as never)
  expect(kept.sentTo?.searchParams.get('resource')).toBe(url.href)
  expect(kept.sentTo?.searchParams.get('code_challenge_method')).toBe('S256')
  const answer = await createVisitor(world.gatewayUrl).decide(kept.sentTo?.href ?? '', person)
  expect(answer.searchParams.get('iss')).toBe(world.gatewayUrl)
  expect(answer.searchParams.get('state')).toBe('kept by the program')
  await library.finish(url, kept, answer)
  return { kept, url }
}

describe.each(libraries.map((library) => [library.name, library] as const))(
  'the official client %s',
  (_name, library) => {
    test('registers, is let in by its person, calls, and refreshes by itself', async () => {
      const world = await startWorld()
      const ben = await world.join('ben', [reader])
      const { kept, url } = await authorize(world, ben, library)
      const client = await library.connect(url, kept)
      onTestFinished(() => client.close())
      expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo')

      const first = kept.tokens?.access_token ?? ''
      const { client_id: id } = kept.client as { client_id: string }
      expect((await world.ledger('&event=grant.made')).at(-1)?.details?.['client']).toBe(id)
      world.clock.advance(61 * 60_000)
      const later = await library.connect(url, kept)
      onTestFinished(() => later.close())
      expect((await later.listTools()).tools.map(({ name }) => name)).toContain('echo')
      expect(kept.tokens?.access_token).not.toBe(first)
    })

    test('asks its person again once the person has taken it back', async () => {
      const world = await startWorld()
      const ben = await world.join('ben', [reader])
      const { kept, url } = await authorize(world, ben, library)
      const { client_id: id } = kept.client as { client_id: string }
      const ended = await post(world.gatewayUrl, '/oauth/revoke', {
        client_id: id,
        token: kept.tokens?.refresh_token ?? '',
      })
      expect(ended.status).toBe(200)
      const asked = kept.sentTo
      await expect(library.connect(url, kept)).rejects.toThrow()
      expect(kept.sentTo).not.toBe(asked)
      expect(kept.sentTo?.pathname).toBe('/oauth/authorize')
    })
  },
)
