/** The official client libraries, as programs that keep what they are told between the steps of signing in. */
import {
  Client as ClientOfToday,
  StreamableHTTPClientTransport as TransportOfToday,
  UnauthorizedError as UnauthorizedToday,
} from '@modelcontextprotocol/client'
import { UnauthorizedError as UnauthorizedBefore } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client as ClientOfBefore } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportOfBefore } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { nativeRedirect } from './client.ts'

/** What a program keeps between the steps. */
export interface Kept {
  /** Kept from the start by a program that an administrator registered. */
  client?: unknown
  /** Where the program's metadata document lies, if it has one: it is its name. */
  documentUrl?: string
  tokens?: { access_token: string; refresh_token?: string }
  verifier?: string
  sentTo?: URL
  discovery?: unknown
}

/** What a program keeps between the steps, in the shape that both libraries ask for. */
function keeper(kept: Kept) {
  return {
    redirectUrl: nativeRedirect,
    ...(kept.documentUrl === undefined ? {} : { clientMetadataUrl: kept.documentUrl }),
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

export interface Library {
  readonly name: '1.x' | '2.x'
  /** Connects; rejects when the person has to be asked first. */
  connect(
    url: URL,
    kept: Kept,
  ): Promise<{
    listTools(): Promise<{ tools: { name: string }[] }>
    callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<unknown>
    close(): Promise<void>
  }>
  finish(url: URL, kept: Kept, answer: URL): Promise<void>
  readonly asksPerson: abstract new (...args: never[]) => Error
}

export const libraries: readonly Library[] = [
  {
    name: '1.x',
    async connect(url, kept) {
      const client = new ClientOfBefore({ name: 'before', version: '1' })
      const transport = new TransportOfBefore(url, { authProvider: keeper(kept) })
      await client.connect(transport as Parameters<ClientOfBefore['connect']>[0])
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
      return client
    },
    finish: (url, kept, answer) =>
      new TransportOfToday(url, { authProvider: keeper(kept) }).finishAuth(answer.searchParams),
    asksPerson: UnauthorizedToday,
  },
]
