/**
 * Where does a client learn which resource this is? The protected resource metadata of each server path.
 * Stops: finding out which servers exist: any well-formed name has the same document.
 * Trusts: the configured public address; never the Host header.
 * Fails: any other well-known path is 404 with a hint.
 * @see RFC 9728, sections 2 and 3
 */

const serverPath = /^\/servers\/([a-z][a-z0-9-]{0,30})\/mcp\/?$/
const metadataPrefix = '/.well-known/oauth-protected-resource'

/** The server name in a path, or undefined when nothing is served there. */
export function serverNameOf(path: string): string | undefined {
  return serverPath.exec(path)?.[1]
}

/** The canonical URI of a server's resource (RFC 8707): what a token for it is bound to. */
export function resourceOf(publicUrl: string, serverName: string): string {
  return `${publicUrl}/servers/${serverName}/mcp`
}

/** Where the metadata of a server's resource lies: the well-known prefix before the resource's path. */
export function metadataUrlOf(publicUrl: string, serverName: string): string {
  return `${publicUrl}${metadataPrefix}/servers/${serverName}/mcp`
}

/** The metadata document for a well-known path; undefined when the path is not one. */
export function metadataFor(publicUrl: string, path: string): Record<string, unknown> | undefined {
  if (!path.startsWith(metadataPrefix)) return undefined
  const serverName = serverNameOf(path.slice(metadataPrefix.length))
  if (serverName === undefined) return undefined
  return {
    resource: resourceOf(publicUrl, serverName),
    authorization_servers: [publicUrl],
    bearer_methods_supported: ['header'],
    resource_name: `${serverName} behind Castellan`,
  }
}
