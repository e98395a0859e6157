/** Tokens whose header says how they should be read: with no key, another key, another algorithm, another format. */
import { createHmac, randomBytes } from 'node:crypto'
import { base64url, publicJwk, signParts, signText, type SigningKey } from '../../test/world/issuers/signing.ts'
import { goodParts, type Kind, type Scene, sharedSecret, signed } from './scene.ts'

function headed(name: string, header: Record<string, unknown>): Kind {
  return { name, make: (scene) => signed(scene, { header }) }
}

/** @param signature over the signed text; empty unless given */
function unsigned(
  scene: Scene,
  header: Record<string, unknown>,
  signature = (_text: string): Buffer => Buffer.alloc(0),
) {
  const good = goodParts(scene)
  const text = `${base64url(JSON.stringify({ ...good.header, ...header }))}.${base64url(JSON.stringify(good.claims))}`
  return `${text}.${base64url(signature(text))}`
}

const none: Kind[] = ['none', 'None', 'NONE', 'nOnE', ''].flatMap((alg) => [
  { name: `signed by nobody (${alg})`, make: (scene: Scene) => unsigned(scene, { alg }) },
  {
    name: `signed by nobody (${alg}), with a signature`,
    make: (scene: Scene) => unsigned(scene, { alg }, () => randomBytes(64)),
  },
  { name: `signed and then said to be not (${alg})`, make: (scene: Scene) => signed(scene, { header: { alg } }) },
])

const secrets: [string, (key: SigningKey) => string | Buffer][] = [
  ['the public key as PEM', ({ publicKey }) => publicKey.export({ type: 'spki', format: 'pem' }) as string],
  ['the public key as DER', ({ publicKey }) => publicKey.export({ type: 'spki', format: 'der' })],
  ['the public key as JWK', (key) => JSON.stringify(publicJwk(key))],
  [
    'one number of the public key',
    (key) => Buffer.from(String(publicJwk(key)['x'] ?? publicJwk(key)['n']), 'base64url'),
  ],
  ['nothing', () => ''],
  ['a word', () => 'secret'],
  ['the secret in the key set', () => sharedSecret],
]
const shared: Kind[] = secrets.flatMap(([what, secretOf]) =>
  (['es', 'rs'] as const).map((name) => ({
    name: `signed with ${what} of ${name} as a shared secret`,
    make(scene: Scene) {
      const key = scene.keys[name]
      const hmac = (text: string): Buffer => createHmac('sha256', secretOf(key)).update(text).digest()
      const keyId = what.includes('key set') ? 'k-oct' : key.keyId
      return unsigned(scene, { alg: 'HS256', kid: keyId }, hmac)
    },
  })),
)

const algorithms: Kind[] = [
  ...[
    undefined,
    null,
    [],
    ['ES256'],
    {},
    7,
    'es256',
    'ES256 ',
    ' ES256',
    'ES256K',
    'ES256\u0000',
    'RS1',
    'HS512',
    'dir',
  ].map((alg) => headed(`of the algorithm ${JSON.stringify(alg)}`, { alg })),
  ...['RS256', 'PS256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'].map((alg) =>
    headed(`signed as ES256 and said to be ${alg}`, { alg }),
  ),
  { name: 'of an algorithm that is not allowed, with its own key', make: (s) => signed(s, { key: s.keys.es384 }) },
  { name: 'of RS256 with a key for PS256', make: (s) => withKey(s, { ...s.keys.ps, algorithm: 'RS256' }) },
  { name: 'of PS256 with a key for RS256', make: (s) => withKey(s, { ...s.keys.rs, algorithm: 'PS256' }) },
  { name: 'of RS512 with a key for RS256', make: (s) => withKey(s, { ...s.keys.rs, algorithm: 'RS512' }) },
  { name: 'signed with a short key', make: (s) => signed(s, { key: s.keys.weak }) },
  { name: 'signed with a key for encryption', make: (s) => signed(s, { key: s.keys.enc }) },
  {
    name: 'signed with a private key in the key set',
    make: (s) => withKey(s, { ...s.keys.withdrawn, keyId: 'k-private' }),
  },
  { name: 'signed with a key that was withdrawn', make: (s) => signed(s, { key: s.keys.withdrawn }) },
]

function withKey(scene: Scene, key: SigningKey): string {
  return signed(scene, { key })
}

const textKeyIds = [
  'unknown',
  '',
  ' k-es',
  'k-es ',
  'K-ES',
  'k-es\u0000',
  '../../keys/k-es',
  '/dev/null',
  '__proto__',
  'constructor',
]
const foreignKeyIds = [
  "k-es' or '1'='1",
  'http://127.0.0.1:9/k',
  '*',
  'k-broken',
  'k-rs',
  'k-oct',
  'k-private',
  'x'.repeat(5_000),
]
const keyIds: readonly unknown[] = [...textKeyIds, ...foreignKeyIds, null, 0, true, [], ['k-es'], {}]
const wrongKeyIds = keyIds.map((kid) => {
  const shown = JSON.stringify(kid)
  return headed(`of the key id ${shown.length > 40 ? 'of 5,000 letters' : shown}`, { kid })
})

/** Signed by somebody who brings the key along. */
const brought: [string, (scene: Scene) => Record<string, unknown>][] = [
  ['nothing of it', () => ({})],
  ['it in the header', ({ forged }) => ({ jwk: publicJwk(forged.es) })],
  ['it in the header and no id', ({ forged }) => ({ jwk: publicJwk(forged.es), kid: undefined })],
  ['the address of a set', ({ stranger }) => ({ jku: `${stranger.issuer}/keys` })],
  ['the address of a set at the issuer', ({ first }) => ({ jku: `${first.issuer}/../uploads/keys` })],
  ['the address of a certificate', ({ stranger }) => ({ x5u: `${stranger.issuer}/certificate` })],
  ['a certificate', () => ({ x5c: ['MIIB'] })],
  ['it, and asks that it be read', ({ forged }) => ({ jwk: publicJwk(forged.es), crit: ['jwk'] })],
]
const own = brought.map(([what, header]) => ({
  name: `of somebody who brings ${what}`,
  make: (scene: Scene) => signed(scene, { key: scene.forged.es, header: header(scene) }),
}))

const extensions = [
  { crit: [] },
  { crit: ['exp'] },
  { crit: ['b64'] },
  { crit: ['b64'], b64: false },
  { crit: ['b64'], b64: true },
  { b64: false },
  { crit: ['alg'] },
  { crit: 'exp' },
  { crit: null },
  { crit: ['https://example.com/x'], 'https://example.com/x': true },
  { zip: 'DEF' },
  { enc: 'A256GCM' },
  { cty: 'JWT' },
  { epk: {} },
  { p2c: 100_000_000, p2s: 'AA' },
].map((header) => headed(`with the extension ${JSON.stringify(header)}`, header))

const types = [
  undefined,
  null,
  '',
  'JWT',
  'jwt',
  'at+jws',
  'at +jwt',
  'at+jwt ',
  ' at+jwt',
  'at+jwt\u0000',
  'at+jwt;x=1',
  'application/',
]
  .concat(['application/jwt', 'application/application/at+jwt', 'text/at+jwt', 'JOSE', 'at%2Bjwt', 'id+jwt', 'ａt+jwt'])
  .map((typ) => headed(`of the type ${JSON.stringify(typ)}`, { typ }))
const listedTypes = [['at+jwt'], { typ: 'at+jwt' }, 7].map((typ) =>
  headed(`of the type ${JSON.stringify(typ)}`, { typ }),
)

/** A token that is right somewhere else. */
const elsewhere: Kind[] = [
  { name: 'of a stranger', make: (s) => s.stranger.token(s.resource) },
  {
    name: 'of a stranger that says it is the first issuer',
    make: (s) => s.stranger.token(s.resource, { iss: s.first.issuer }),
  },
  { name: 'of another environment with the same names', make: (s) => signed(s, { key: s.forged.es }) },
  { name: 'of the second issuer that says it is the first', make: (s) => signed(s, { key: s.keys.second }) },
  { name: 'of the second issuer with the type of the first', make: (s) => s.second.token(s.resource, { azp: 'a' }) },
  { name: 'of the second issuer without its client', make: (s) => s.second.token(s.resource, {}, { typ: 'JWT' }) },
  {
    name: 'of the first issuer that says it is the second',
    make: (s) => signed(s, { claims: { iss: s.second.issuer, azp: 'a' }, header: { typ: 'JWT' } }),
  },
  { name: 'signed over another header', make: otherHeader },
]

function otherHeader(scene: Scene): string {
  const { header, claims } = goodParts(scene)
  const [, body, signature] = signParts(scene.keys.es, JSON.stringify(header), JSON.stringify(claims)).split('.')
  const other = base64url(JSON.stringify({ ...header, x: signText(scene.keys.es, 'x').length }))
  return `${other}.${body}.${signature}`
}

export const badHeaders: readonly Kind[] = [
  ...none,
  ...shared,
  ...algorithms,
  ...wrongKeyIds,
  ...own,
  ...extensions,
  ...types,
  ...listedTypes,
  ...elsewhere,
]
