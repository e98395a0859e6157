/**
 * Carries out what a person decides on the consent page: nothing is granted without their yes to this one request.
 * Stops: a yes given in one browser from counting in another, a yes to one client from counting for another; both are
 * bound to the request by signed cookies and by its record in the database.
 * Trusts: the pages for who the person is and for the check that a form was theirs. Fails: closed: no request, no answer.
 * @see MCP security best practices, confused deputy
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Principal } from '#kernel'
import { type Client, type Provider, errors } from 'oidc-provider'
import type { Clients } from '../oauth-clients/clients.ts'
import { redirectHostOf } from '../oauth-clients/clients.ts'
import { type GrantView, type NewGrant, endByItself, makeGrant } from './grants.ts'
import type { AskingClient, Interaction, Interactions } from './interactions.ts'
import type { OauthParts } from './parts.ts'
import { adminScope, mcpScope } from './resources.ts'

const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/

/** Who asks, as a person is told. @param redirectUri of the request; a device has none */
export async function askingClient(clients: Clients, client: Client, redirectUri?: string): Promise<AskingClient> {
  const known = await clients.find(client.clientId)
  const isDocument = client.clientId.startsWith('https://')
  const uris = client.redirectUris ?? []
  return {
    id: client.clientId,
    name: client.clientName ?? client.clientId,
    ...(client.clientUri === undefined ? {} : { uri: client.clientUri }),
    redirectHost: redirectUri === undefined ? '' : redirectHostOf(redirectUri),
    redirectSource: redirectUri === undefined ? undefined : redirectSourceOf(redirectUri),
    isLoopbackOnly: uris.length > 0 && uris.every((uri) => loopbackHost.test(redirectHostOf(uri))),
    registeredBy: isDocument ? 'metadata-document' : (known?.registeredBy ?? 'registration'),
  }
}

/** What a form's redirects have to be allowed to: the origin, or the scheme of a program. */
function redirectSourceOf(uri: string): string | undefined {
  if (!URL.canParse(uri)) return undefined
  const { origin, protocol } = new URL(uri)
  return ['http:', 'https:'].includes(protocol) ? origin : protocol
}

/**
 * The scopes that a request for a resource is about: what was asked for and is known.
 * @param own the scope of the resource
 */
export function scopesOf(asked: unknown, own = mcpScope): readonly string[] {
  const named = typeof asked === 'string' ? asked.split(' ') : []
  return ['openid', 'offline_access', own].filter((scope) => named.includes(scope))
}

const resourceScopes: readonly string[] = [mcpScope, adminScope]

/** Writes a person's yes down and makes it known to the provider. */
export async function grantTo(provider: Provider, parts: OauthParts, made: NewGrant): Promise<GrantView> {
  const view = await makeGrant(parts, made)
  const life = made.lifeSeconds === undefined ? {} : { expiresIn: made.lifeSeconds }
  const grant = new provider.Grant({ accountId: made.person.id, clientId: made.client.id, ...life })
  grant.addOIDCScope(made.scopes.join(' '))
  grant.addResourceScope(made.resource, made.scopes.filter((scope) => resourceScopes.includes(scope)).join(' '))
  Object.assign(grant, { jti: view.id })
  await grant.save()
  return view
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

interface Needs {
  readonly parts: OauthParts
  readonly clients: Clients
  readonly provider: () => Promise<Provider>
  /** Gives a request the host and scheme of the configured public address. */
  readonly prepare: (req: IncomingMessage) => void
}

async function requestOf({ provider, prepare }: Needs, req: IncomingMessage, res: ServerResponse) {
  prepare(req)
  const made = await provider()
  try {
    const details = await made.interactionDetails(req, res)
    const client = await made.Client.find(String(details.params['client_id']))
    return client && { made, details, client }
  } catch {
    // WHY: no cookie, an expired request and a foreign one are the same to whoever asks.
    return undefined
  }
}

type Result = Parameters<Provider['interactionFinished']>[2]

/** @returns false when the request was answered meanwhile, by the same form sent twice */
async function finish(
  provider: Provider,
  { req, res, result }: { readonly req: IncomingMessage; readonly res: ServerResponse; readonly result: Result },
): Promise<boolean> {
  try {
    await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false })
    return true
  } catch (error) {
    if (error instanceof errors.SessionNotFound) return false
    throw error
  }
}

export function createInteractions(needs: Needs): Interactions {
  const { parts, clients } = needs
  return {
    async find(req, res): Promise<Interaction | undefined> {
      const request = await requestOf(needs, req, res)
      if (!request) return undefined
      const { details, client } = request
      return {
        uid: details.uid,
        client: await askingClient(clients, client, textOf(details.params['redirect_uri'])),
        scopes: scopesOf(details.params['scope']),
        resource: textOf(details.params['resource']),
      }
    },
    async consented(req, res, principal: Principal) {
      const request = await requestOf(needs, req, res)
      const resource = textOf(request?.details.params['resource'])
      if (!request || resource === undefined) return false
      const { made, details, client } = request
      if (client.clientId.startsWith('https://')) {
        const { clientId: id, clientName: name = id, redirectUris = [] } = client
        await clients.noteDocument({ id, name, redirectUris })
      }
      const view = await grantTo(made, parts, {
        person: principal,
        factors: principal.factors,
        factorsAt: principal.factorsAt,
        client: { id: client.clientId, name: client.clientName ?? client.clientId },
        resource,
        scopes: scopesOf(details.params['scope']),
        by: 'consent',
      })
      const login = { accountId: principal.id, amr: [...principal.factors], remember: false }
      const isDone = await finish(made, { req, res, result: { login, consent: { grantId: view.id } } })
      // INVARIANT: no grant is left that nobody was given anything for.
      if (!isDone) await endByItself(parts, view.id, 'request answered already')
      return isDone
    },
    async refused(req, res) {
      const request = await requestOf(needs, req, res)
      const result = { error: 'access_denied', error_description: 'the person said no' }
      return request !== undefined && finish(request.made, { req, res, result })
    },
  }
}
