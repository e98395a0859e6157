/**
 * What can an OAuth token be for, and which clients may ask for it? Each MCP path is a resource of its own; provisioning
 * and the admin API are one each, for very few clients.
 * Stops: a token for something that nobody serves, one token for several resources, and administration by a client that
 * anybody may register.
 * Trusts: the configured public addresses; the store for how a client became known. Fails: anything else is no resource.
 * @see RFC 8707, section 2; docs/decisions/0038-the-terminal-signs-in-by-the-browser.md
 */
import { canonicalResource } from '../credentials/resource.ts'
import type { Places } from '../parts.ts'
import type { RegisteredBy } from './interactions.ts'

const mcpPath = /^(?:\/mcp|\/(?:servers|bundles)\/[a-z][a-z0-9-]{0,30}\/mcp)$/

/** What a token for an MCP path is good for. */
export const mcpScope = 'mcp'
/** What a token for provisioning is good for. */
export const scimScope = 'scim'
/** What a token for the admin API is good for. */
export const adminScope = 'castellan:admin'

/** The client that the `castellan` program is on people's machines. It is built in: nobody registers it. */
export const terminalClient = 'castellan-cli'

/** Something that tokens are given for. */
export interface Resource {
  /** In its one spelling. */
  readonly audience: string
  /** The only scope that means something there. */
  readonly scope: string
}

/** The canonical spelling of an MCP path that tokens are given for; undefined when it is none. */
export function grantableResource(publicUrl: string, asked: string): string | undefined {
  const canonical = canonicalResource(asked)
  if (canonical === undefined || !canonical.startsWith(`${publicUrl}/`)) return undefined
  return mcpPath.test(canonical.slice(publicUrl.length)) ? canonical : undefined
}

/** What an address stands for; undefined when nothing is served there. */
export function resourceOf({ gatewayUrl, adminUrl }: Places, asked: string): Resource | undefined {
  const path = grantableResource(gatewayUrl, asked)
  if (path !== undefined) return { audience: path, scope: mcpScope }
  const audience = canonicalResource(asked)
  if (audience === undefined) return undefined
  if (audience === `${gatewayUrl}/scim/v2`) return { audience, scope: scimScope }
  return audience === canonicalResource(adminUrl) ? { audience, scope: adminScope } : undefined
}

/** Who asks for a token, as far as it decides about a resource. */
export interface Asker {
  readonly clientId: string
  readonly registeredBy: RegisteredBy | undefined
  /** Whether it asks for itself, with client credentials. */
  readonly isForItself: boolean
}

/**
 * May this client have tokens for a resource of this scope?
 * INVARIANT: administration is for the built-in client, which has nothing else; provisioning for clients that an
 * administrator registered and that act for themselves.
 */
export function mayHave(scope: string, { clientId, registeredBy, isForItself }: Asker): boolean {
  if (clientId === terminalClient || scope === adminScope) return clientId === terminalClient && scope === adminScope
  return scope === mcpScope || (scope === scimScope && registeredBy === 'administrator' && isForItself)
}
