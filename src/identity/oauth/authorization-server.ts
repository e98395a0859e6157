/**
 * The OAuth 2.1 authorization server of this installation: who answers its paths, and what the pages and admins need of it.
 * Stops: another Host or scheme than the configured one in anything that is answered.
 * Trusts: the gateway's doorway for address, Host and Origin. Fails: closed: until its keys open it answers nothing.
 * @see RFC 8414, OAuth 2.1; docs/decisions/0030-authorization-server.md
 */
import type { IncomingMessage } from 'node:http'
import type { Refusal } from '#kernel'
import { createGuardedFetch } from '#platform/http'
import type { Provider } from 'oidc-provider'
import type { Mount } from '../front/front.ts'
import { type Clients, createClients } from '../oauth-clients/clients.ts'
import { type AddedClient, createAddClient, type NewClient } from '../oauth-clients/add-client.ts'
import type { ExchangeParts } from '../oauth-exchange/read-subject.ts'
import { createDevices } from '../oauth-devices/create-devices.ts'
import { createInteractions } from './create-interactions.ts'
import { type Grants, createGrants, endByItself } from './grants.ts'
import type { Devices, Interactions } from './interactions.ts'
import type { OauthParts } from './parts.ts'
import { oauthPaths } from './configuration.ts'
import { createProvider } from './create-provider.ts'
import { duringVisit, presentVisit } from './visiting.ts'
import { createArtifacts } from './artifacts.ts'
import { createReplays } from './replays.ts'
import { readServerKeys } from './signing-keys.ts'

const metadataPaths = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']
/** Answered by the pages. */
const pagePaths: readonly string[] = [oauthPaths.code_verification]

export interface AuthorizationServer {
  readonly mount: Mount
  readonly interactions: Interactions
  readonly devices: Devices
  readonly grants: Grants
  readonly clients: Clients
  readonly addClient: (fresh: NewClient) => Promise<AddedClient | Refusal>
}

function owns(path: string): boolean {
  if (pagePaths.includes(path)) return false
  return path.startsWith('/oauth/') || metadataPaths.includes(path)
}

/** INVARIANT: addresses in answers are made from the configured one, whatever the client says it called. */
function preparer({ places }: OauthParts): (req: IncomingMessage) => void {
  return (req) => {
    const { host, protocol } = new URL(places.gatewayUrl)
    const { headers } = req
    for (const name of Object.keys(headers)) if (name.startsWith('x-forwarded-')) delete headers[name]
    delete headers['forwarded']
    headers.host = host
    headers['x-forwarded-host'] = host
    headers['x-forwarded-proto'] = protocol.slice(0, -1)
  }
}

function endReason(provider: Provider | undefined): string {
  const { ctx } = (provider?.constructor ?? {}) as { ctx?: { oidc?: { route?: string } } }
  return ctx?.oidc?.route === 'revocation' ? 'ended by the client' : 'code or refresh token used again'
}

async function isActive({ database }: OauthParts, personId: string): Promise<boolean> {
  const people = database.query.selectFrom('people').select('status').where('id', '=', personId)
  return (await people.executeTakeFirst())?.status === 'active'
}

export function createAuthorizationServer(parts: ExchangeParts): AuthorizationServer {
  const clients = createClients(parts, presentVisit)
  const artifacts = createArtifacts(parts)
  const replays = createReplays(parts)
  const prepare = preparer(parts)
  let made: { readonly madeFor: string; readonly provider: Promise<Provider> } | undefined
  let present: Provider | undefined

  const grantStore = {
    ...artifacts('Grant'),
    destroy: (id: string) => endByItself(parts, id, endReason(present)),
  }

  async function make(): Promise<Provider> {
    const keys = await readServerKeys(parts)
    present = createProvider({
      parts,
      keys,
      replays,
      fetch: createGuardedFetch(parts.settings.oauth.metadataNetworks),
      adapter: (kind) => (kind === 'Client' ? clients.adapter : kind === 'Grant' ? grantStore : artifacts(kind)),
      mayExchangeFor: async (id) => (await clients.find(id))?.exchangeResources ?? [],
      isBlocked: async (id) => (await clients.find(id))?.isBlocked ?? false,
      registeredBy: async (id) => (await clients.find(id))?.registeredBy,
      isActive: (personId) => isActive(parts, personId),
    })
    return present
  }

  function provider(): Promise<Provider> {
    const madeFor = JSON.stringify(parts.settings.oauth)
    if (made?.madeFor === madeFor) return made.provider
    const fresh = { madeFor, provider: make() }
    // WHY: what could not be made is made anew for the next request.
    fresh.provider.catch(() => {
      if (made === fresh) made = undefined
    })
    made = fresh
    return fresh.provider
  }

  return {
    mount: {
      owns,
      async answer(req, res, visit) {
        prepare(req)
        const answering = (await provider()).callback()
        await duringVisit(visit, parts.clock.now(), () => answering(req, res))
      },
    },
    interactions: createInteractions({ parts, clients, provider, prepare }),
    devices: createDevices({ parts, clients, provider }),
    grants: createGrants(parts),
    clients,
    addClient: createAddClient(parts, clients, provider),
  }
}
