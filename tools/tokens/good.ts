/** Tokens that have to be accepted. */
import { base64url, signParts, signText } from '../../test/world/issuers/signing.ts'
import { type Kind, goodParts, maxAgeSeconds, signed, signedTexts, skewSeconds } from './scene.ts'

/** Of P-256. */
export const curveOrder = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

export function bytesOf(value: bigint, size = 32): Buffer {
  return Buffer.from(value.toString(16).padStart(size * 2, '0'), 'hex')
}

export function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}

const byKey: Kind[] = (['es', 'rs', 'ps', 'ed'] as const).map((name) => ({
  name: `signed with the key ${name}`,
  make: (scene) => signed(scene, { key: scene.keys[name] }),
}))

function claimed(name: string, claims: Record<string, unknown>): Kind {
  return { name, make: (scene) => signed(scene, { claims }) }
}

function headed(name: string, header: Record<string, unknown>): Kind {
  return { name, make: (scene) => signed(scene, { header }) }
}

/** Whose header names keys that are not looked at. */
const ignoredHeaders: Kind[] = [
  headed('with an address of keys that nobody asks', { jku: 'http://127.0.0.1:9/keys' }),
  headed('with an address of a certificate that nobody asks', { x5u: 'http://127.0.0.1:9/certificate' }),
  headed('with hashes of a certificate', { x5t: 'AAAA', 'x5t#S256': 'AAAA' }),
  { name: 'with a key of somebody in its header', make: (s) => signed(s, { header: { jwk: jwkOf(s.forged.es) } }) },
]

function jwkOf(key: { publicKey: { export(options: { format: 'jwk' }): unknown } }): unknown {
  return key.publicKey.export({ format: 'jwk' })
}

const times: Kind[] = [
  { name: 'in the last second of the skew', make: (s) => signed(s, { claims: { exp: s.now() - skewSeconds + 5 } }) },
  { name: 'from a clock that is ahead', make: (s) => signed(s, { claims: aheadBy(s.now(), skewSeconds - 5) }) },
  { name: 'as old as one may be', make: (s) => signed(s, { claims: agedBy(s.now(), maxAgeSeconds - 5) }) },
  {
    name: 'with moments between seconds',
    make: (s) => signed(s, { claims: { exp: s.now() + 60.5, iat: s.now() - 0.5 } }),
  },
  claimed('without a first moment', { nbf: undefined }),
]

export function aheadBy(now: number, seconds: number) {
  return { iat: now + seconds, nbf: now + seconds, exp: now + 600 }
}

export function agedBy(now: number, seconds: number) {
  return { iat: now - seconds, nbf: now - seconds, exp: now + 600 }
}

export const goodKinds: readonly Kind[] = [
  ...byKey,
  ...ignoredHeaders,
  ...times,
  headed('with its type in full', { typ: 'application/at+jwt' }),
  headed('with its type in capitals', { typ: 'AT+JWT' }),
  { name: 'without a key id, of the only key of its kind', make: withoutKeyId },
  { name: 'with its audience in a list of one', make: (s) => signed(s, { claims: { aud: [s.resource] } }) },
  claimed('without an id', { jti: undefined }),
  { ...claimed('without groups', { groups: undefined, name: undefined }), hasNoRole: true },
  { ...claimed('with groups that are none', { groups: [7, null, { staff: true }] }), hasNoRole: true },
  claimed('with four hundred groups', { groups: ['staff', ...Array.from({ length: 400 }, (_, at) => `g-${at}`)] }),
  claimed('with a name in other letters', { name: 'Ида Хольм 🌿' }),
  claimed('with claims that nobody knows', {
    'https://example.com/x': { deep: [1, { y: 2 }] },
    acr: '1',
    amr: ['pwd'],
  }),
  claimed('that names its client as `azp`', { client_id: undefined, azp: 'app-2' }),
  claimed('with scopes in a list', { scope: undefined, scp: ['openid', 'mcp'] }),
  claimed('of a subject with signs', { sub: 'auth0|5f7c8ec7c33c6c004bbafe82@clients' }),
  {
    name: 'with spaces between its members',
    make: (s) => signedTexts(s, (t) => ({ ...t, claims: ` ${spaced(t.claims)} ` })),
  },
  {
    name: 'with escapes in its keys',
    make: (s) => signedTexts(s, (t) => ({ ...t, claims: t.claims.replace('"aud"', '"\\u0061ud"') })),
  },
  {
    name: 'of an issuer that says JWT',
    make: (s) => s.second.token(s.resource, { azp: 'app-9', realm_access: { roles: ['staff'] } }, { typ: 'JWT' }),
  },
  { name: 'with the other signature that ECDSA has', make: otherSignature },
]

function spaced(text: string): string {
  return JSON.stringify(JSON.parse(text), null, 2)
}

function withoutKeyId(scene: Parameters<Kind['make']>[0]): string {
  return signed(scene, { key: scene.keys.ed, header: { kid: undefined } })
}

/** SPEC: (r, n − s) is right where (r, s) is; who has one token has both, and they are one credential. */
function otherSignature(scene: Parameters<Kind['make']>[0]): string {
  const { header, claims } = goodParts(scene)
  const [head, body] = signParts(scene.keys.es, JSON.stringify(header), JSON.stringify(claims)).split('.')
  const signature = signText(scene.keys.es, `${head}.${body}`)
  const s = curveOrder - numberOf(signature.subarray(32))
  return `${head}.${body}.${base64url(Buffer.concat([signature.subarray(0, 32), bytesOf(s)]))}`
}
