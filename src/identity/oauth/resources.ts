/**
 * What can an OAuth token be for? Each MCP path is a resource of its own.
 * Stops: a token for something that nobody serves, and one token for several paths.
 * Trusts: the configured public address. Fails: anything else is no resource.
 * @see RFC 8707, section 2
 */
import { canonicalResource } from '../credentials/resource.ts'

const mcpPath = /^(?:\/mcp|\/(?:servers|bundles)\/[a-z][a-z0-9-]{0,30}\/mcp)$/

/** What a token for an MCP path is good for. */
export const mcpScope = 'mcp'

/** The canonical spelling of a resource that tokens are given for; undefined when it is none. */
export function grantableResource(publicUrl: string, asked: string): string | undefined {
  const canonical = canonicalResource(asked)
  if (canonical === undefined || !canonical.startsWith(`${publicUrl}/`)) return undefined
  return mcpPath.test(canonical.slice(publicUrl.length)) ? canonical : undefined
}
