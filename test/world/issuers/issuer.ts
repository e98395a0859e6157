import { randomUUID } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createKey, publicJwk, signParts, type SigningKey } from './signing.ts'

/** An authorization server of somebody else, over HTTP on loopback: its metadata, its keys, and tokens that it signs. */
export interface TestIssuer {
  readonly issuer: string
  /** What its key set holds; may be changed at any time. */
  keys: SigningKey[]
  /** Members of the key set as they are told, instead of `keys`. */
  rawKeys: readonly unknown[] | undefined
  /** Members of its metadata that are not what they should be. */
  metadata: Record<string, unknown>
  /** Answers 503 to everything. */
  isDown: boolean
  /** Requests it has had. */
  readonly asked: { metadata: number; keys: number }
  /** Requests that came to any other path. */
  readonly strays: string[]
  /** An access token as RFC 9068 has it, for a resource. */
  token(resource: string, claims?: Record<string, unknown>, header?: Record<string, unknown>): string
  close(): void
}

export interface TestIssuerOptions {
  /** Seconds since the epoch; those of this machine unless told. */
  readonly nowSeconds?: () => number
  /** Of the address: `/realms/acme`. */
  readonly path?: string
  readonly keys?: readonly SigningKey[]
}

const machineSeconds = (): number => Math.floor(Date.now() / 1_000)

/** The claims of a good token. */
export function goodClaims(issuer: string, resource: string, now: number): Record<string, unknown> {
  const person = { sub: 'u-4711', name: 'Ida Holm', groups: ['staff'] }
  const life = { iat: now, nbf: now, exp: now + 600, jti: randomUUID() }
  return { iss: issuer, aud: resource, client_id: 'app-1', scope: 'openid mcp', ...person, ...life }
}

export async function startIssuer(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  const { nowSeconds = machineSeconds, path = '' } = options
  const asked = { metadata: 0, keys: 0 }
  const strays: string[] = []
  const send = (res: ServerResponse, value: unknown): void => {
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }
  const server = createServer((req, res) => {
    const url = req.url ?? ''
    const isMetadata = url === `${path}/.well-known/openid-configuration`
    if (isMetadata) asked.metadata += 1
    else if (url === `${path}/keys`) asked.keys += 1
    else strays.push(url)
    if (self.isDown) return void res.writeHead(503).end()
    if (isMetadata) return send(res, { issuer: self.issuer, jwks_uri: `${self.issuer}/keys`, ...self.metadata })
    if (url === `${path}/keys`) return send(res, { keys: self.rawKeys ?? self.keys.map((key) => publicJwk(key)) })
    return void res.writeHead(404).end()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  const self: TestIssuer = {
    issuer,
    keys: [...(options.keys ?? [createKey('ES256', 'k-1')])],
    rawKeys: undefined,
    metadata: {},
    isDown: false,
    asked,
    strays,
    token(resource, claims = {}, header = {}) {
      const [key] = self.keys
      if (key === undefined) throw new Error('the issuer has no key')
      const head = { alg: key.algorithm, kid: key.keyId, typ: 'at+jwt', ...header }
      const body = { ...goodClaims(issuer, resource, nowSeconds()), ...claims }
      return signParts(key, JSON.stringify(head), JSON.stringify(body))
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
  return self
}

/** The entry of `identity.issuers` for an issuer, with defaults for the rest. */
export function issuerSettings(issuer: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { issuer, roles: { staff: ['books-reader'] }, ...more }
}
