/** Metadata documents of clients (CIMD), over HTTPS on this machine, with a certificate that Castellan is told to trust. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDocumentServer } from '../../test/world/oauth/document-server.ts'
import { makeAuthority } from '../../test/world/wire/tls.ts'

export interface Documents {
  /** What Castellan is started with, so that it reads documents of this machine. */
  readonly env: NodeJS.ProcessEnv
  /** @returns the address of the document, which is the id of its client */
  publish(name: string, redirectUri: string): string
  close(): void
}

export async function startDocuments(): Promise<Documents> {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-documents-'))
  const authority = await makeAuthority()
  const authorityPath = join(folder, 'authority.pem')
  writeFileSync(authorityPath, authority.certificate)
  const published = new Map<string, Record<string, unknown>>()
  const server = await openDocumentServer(await authority.issue({ folder }), (req, res) => {
    const found = published.get(req.url ?? '')
    res.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(found))
  })
  return {
    env: { NODE_EXTRA_CA_CERTS: authorityPath, CASTELLAN_OAUTH__METADATA_NETWORKS: '127.0.0.0/8,::1' },
    publish(name, redirectUri) {
      const path = `/client-${published.size + 1}.json`
      published.set(path, {
        client_id: `${server.url}${path}`,
        client_name: name,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      })
      return `${server.url}${path}`
    },
    close() {
      server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
