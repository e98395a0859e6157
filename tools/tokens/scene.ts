/** Who plays in the matrix of tokens: configured issuers, one that is not, and somebody who would like to be one. */
import { goodClaims, startIssuer, type TestIssuer } from '../../test/world/issuers/issuer.ts'
import { createKey, publicJwk, signParts, type SigningKey } from '../../test/world/issuers/signing.ts'

export interface Scene {
  /** Writes access tokens as RFC 9068 has them. */
  readonly first: TestIssuer
  /** Writes them with `typ: JWT`, and has a key with the id of one of the first issuer's. */
  readonly second: TestIssuer
  /** Is not configured. */
  readonly stranger: TestIssuer
  readonly keys: Readonly<
    Record<'es' | 'rs' | 'ps' | 'ed' | 'es384' | 'weak' | 'enc' | 'second' | 'withdrawn', SigningKey>
  >
  /** Keys of nobody, under ids of the first issuer's. */
  readonly forged: Readonly<Record<'es' | 'rs', SigningKey>>
  readonly resource: string
  now(): number
}

/** One kind of token, and how one of it is made. */
export interface Kind {
  readonly name: string
  readonly make: (scene: Scene) => string
  /** Of a good one whose person may use nothing: known, and refused as anybody without a role. */
  readonly hasNoRole?: boolean
  /** The path it is good for, when that is not the server's. */
  readonly isFor?: string
}

export const skewSeconds = 30
export const maxAgeSeconds = 3_600
export const sharedSecret = 'a secret that stands in the key set'

export async function setScene(resource: string, now: () => number): Promise<Scene> {
  const keys = {
    es: createKey('ES256', 'k-es'),
    rs: createKey('RS256', 'k-rs'),
    ps: createKey('PS256', 'k-ps'),
    ed: createKey('EdDSA', 'k-ed'),
    es384: createKey('ES384', 'k-es384'),
    weak: createKey('RS256', 'k-weak', 1_024),
    enc: createKey('RS256', 'k-enc'),
    second: createKey('ES256', 'k-es'),
    withdrawn: createKey('ES256', 'k-old'),
  }
  const { es, rs, ps, ed, es384, weak, enc, second: secondKey } = keys
  const first = await startIssuer({ nowSeconds: now, path: '/realms/acme', keys: [es, rs, ps, ed, es384, weak] })
  const second = await startIssuer({ nowSeconds: now, keys: [secondKey] })
  const stranger = await startIssuer({ nowSeconds: now })
  first.rawKeys = [
    ...[es, rs, ps, ed, es384, weak].map((key) => publicJwk(key)),
    publicJwk(enc, { use: 'enc', alg: undefined }),
    { kty: 'oct', kid: 'k-oct', use: 'sig', alg: 'HS256', k: Buffer.from(sharedSecret).toString('base64url') },
    { ...keys.withdrawn.privateKey.export({ format: 'jwk' }), kid: 'k-private', use: 'sig' },
    { kty: 'EC', kid: 'k-broken', crv: 'P-256', x: 'AA', y: 'AA' },
    null,
  ]
  const forged = { es: createKey('ES256', 'k-es'), rs: createKey('RS256', 'k-rs') }
  return { first, second, stranger, keys, forged, resource, now }
}

/** The entries of `identity.issuers` for the scene. */
export function sceneIssuers({ first, second }: Pick<Scene, 'first' | 'second'>): Record<string, unknown>[] {
  const both = { clockSkewSeconds: skewSeconds, tokenMaxAgeSeconds: maxAgeSeconds, roles: { staff: ['admin'] } }
  return [
    { ...both, issuer: first.issuer, algorithms: ['ES256', 'RS256', 'PS256', 'EdDSA'] },
    { ...both, issuer: second.issuer, typ: 'JWT', claims: { groups: 'realm_access.roles', client: 'azp' }, scopes: [] },
  ]
}

export function endScene({ first, second, stranger }: Scene): void {
  for (const issuer of [first, second, stranger]) issuer.close()
}

/** Header and claims of a good token of the first issuer. */
export function goodParts(scene: Scene, key: SigningKey = scene.keys.es) {
  const header: Record<string, unknown> = { alg: key.algorithm, kid: key.keyId, typ: 'at+jwt' }
  return { header, claims: goodClaims(scene.first.issuer, scene.resource, scene.now()) }
}

/** A signed token of the first issuer with other claims and header; what is undefined is left out. */
export function signed(
  scene: Scene,
  { claims = {}, header = {}, key = scene.keys.es }: Partial<Crafted> & { key?: SigningKey },
): string {
  const good = goodParts(scene, key)
  const texts = [
    { ...good.header, ...header },
    { ...good.claims, ...claims },
  ].map((part) => JSON.stringify(part))
  return signParts(key, texts[0] ?? '', texts[1] ?? '')
}

interface Crafted {
  readonly claims: Record<string, unknown>
  readonly header: Record<string, unknown>
}

/** A signed token whose texts are made from those of a good one. */
export function signedTexts(
  scene: Scene,
  change: (texts: { header: string; claims: string }) => { header: string; claims: string },
): string {
  const { header, claims } = goodParts(scene)
  const texts = change({ header: JSON.stringify(header), claims: JSON.stringify(claims) })
  return signParts(scene.keys.es, texts.header, texts.claims)
}
