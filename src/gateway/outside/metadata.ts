/**
 * Where does a client learn which resource this is? The protected resource metadata of each path that is served.
 * Stops: finding out which servers and bundles exist: any well-formed name has the same document.
 * Trusts: the configured public address; never the Host header.
 * Fails: any other well-known path is 404 with a hint.
 * @see RFC 9728, sections 2 and 3
 */
import { mcpScope, proofAlgorithms } from './challenge.ts'

const serverPath = /^\/servers\/([a-z][a-z0-9-]{0,30})\/mcp\/?$/
const sharedPath = /^(\/mcp|\/bundles\/[a-z][a-z0-9-]{0,30}\/mcp)\/?$/
const bundlePath = /^\/bundles\/([^/]+)\/mcp$/
const metadataPrefix = '/.well-known/oauth-protected-resource'

/**
 * What is served at a path: the name of a server, or the path itself where several servers answer together (`/mcp`,
 * `/bundles/<name>/mcp`); undefined when nothing is.
 */
export function servedAt(path: string): string | undefined {
  return serverPath.exec(path)?.[1] ?? sharedPath.exec(path)?.[1]
}

/** Whether several servers answer together at what is served. No server's name looks like it. */
export function isShared(served: string): boolean {
  return served.startsWith('/')
}

/** The bundle that answers at a shared path; undefined where all servers do. */
export function bundleNameOf(served: string): string | undefined {
  return bundlePath.exec(served)?.[1]
}

function pathOf(served: string): string {
  return isShared(served) ? served : `/servers/${served}/mcp`
}

/** The canonical URI of a resource (RFC 8707): what a token for it is bound to. */
export function resourceOf(publicUrl: string, served: string): string {
  return `${publicUrl}${pathOf(served)}`
}

/** Where the metadata of a resource lies: the well-known prefix before the resource's path. */
export function metadataUrlOf(publicUrl: string, served: string): string {
  return `${publicUrl}${metadataPrefix}${pathOf(served)}`
}

/** The metadata document for a well-known path; undefined when the path is not one. */
export function metadataFor(publicUrl: string, path: string): Record<string, unknown> | undefined {
  if (!path.startsWith(metadataPrefix)) return undefined
  const served = servedAt(path.slice(metadataPrefix.length))
  if (served === undefined) return undefined
  const bundle = bundleNameOf(served)
  const name = bundle === undefined ? 'every server' : `bundle ${bundle}`
  return {
    resource: resourceOf(publicUrl, served),
    authorization_servers: [publicUrl],
    bearer_methods_supported: ['header'],
    scopes_supported: [mcpScope],
    dpop_signing_alg_values_supported: proofAlgorithms,
    resource_name: `${isShared(served) ? name : served} behind Castellan`,
  }
}
