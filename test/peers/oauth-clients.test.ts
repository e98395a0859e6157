/**
 * The official client libraries go the whole way by themselves: told 401, they find the authorization server, register, send
 * their person to the pages, redeem the code, call, and refresh.
 */
import {
  Client as ClientOfToday,
  StreamableHTTPClientTransport as TransportOfToday,
  UnauthorizedError as UnauthorizedToday,
} from '@modelcontextprotocol/client'
import { UnauthorizedError as UnauthorizedBefore } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client as ClientOfBefore } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportOfBefore } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { describe, expect, onTestFinished, test } from 'vitest'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { nativeRedirect, post } from '../world/oauth/client.ts'
import { createVisitor } from '../world/oauth/visitor.ts'
import type { Person } from '../world/people.ts'

interface Kept {
  client?: unknown
  tokens?: { access_token: string; refresh_token?: string }
  verifier?: string
  sentTo?: URL
  discovery?: unknown
}

/** What a program keeps between the steps, in the shape that both libraries ask for. */
function keeper(kept: Kept) {
  return {
    redirectUrl: nativeRedirect,
    clientMetadata: {
      client_name: 'A program',
      redirect_uris: [nativeRedirect],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    state: () => 'kept by the program',
    clientInformation: () => kept.client as never,
    saveClientInformation: (client: unknown) => void (kept.client = client),
    tokens: () => kept.tokens as never,
    saveTokens: (tokens: unknown) => void (kept.tokens = tokens as NonNullable<Kept['tokens']>),
    redirectToAuthorization: (url: URL) => void (kept.sentTo = url),
    saveCodeVerifier: (verifier: string) => void (kept.verifier = verifier),
    codeVerifier: () => kept.verifier ?? '',
    saveDiscoveryState: (state: unknown) => void (kept.discovery = state),
    discoveryState: () => kept.discovery as never,
    invalidateCredentials: () => void delete kept.tokens,
  }
}

interface Library {
  readonly name: string
  /** Connects; rejects when the person has to be asked first. */
  connect(url: URL, kept: Kept): Promise<{ listTools(): Promise<{ tools: { name: string }[] }> }>
  finish(url: URL, kept: Kept, answer: URL): Promise<void>
  readonly asksPerson: abstract new (...args: never[]) => Error
}

const libraries: readonly Library[] = [
  {
    name: '1.x',
    async connect(url, kept) {
      const client = new ClientOfBefore({ name: 'before', version: '1' })
      const transport = new TransportOfBefore(url, { authProvider: keeper(kept) })
      await client.connect(transport as Parameters<ClientOfBefore['connect']>[0])
      onTestFinished(() => client.close())
      return client
    },
    finish: (url, kept, answer) =>
      new TransportOfBefore(url, { authProvider: keeper(kept) }).finishAuth(answer.searchParams.get('code') ?? ''),
    asksPerson: UnauthorizedBefore,
  },
  {
    name: '2.x',
    async connect(url, kept) {
      const client = new ClientOfToday({ name: 'today', version: '1' })
      await client.connect(new TransportOfToday(url, { authProvider: keeper(kept) }))
      onTestFinished(() => client.close())
      return client
    },
    finish: (url, kept, answer) =>
      new TransportOfToday(url, { authProvider: keeper(kept) }).finishAuth(answer.searchParams),
    asksPerson: UnauthorizedToday,
  },
]

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
      expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo')

      const first = kept.tokens?.access_token ?? ''
      const { client_id: id } = kept.client as { client_id: string }
      expect((await world.ledger('&event=grant.made')).at(-1)?.details?.['client']).toBe(id)
      world.clock.advance(61 * 60_000)
      const later = await library.connect(url, kept)
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
