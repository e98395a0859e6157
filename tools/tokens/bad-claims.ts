/** Tokens that the issuer did sign, and that are not for here, not for this moment, or not access tokens. */
import { aheadBy, agedBy } from './good.ts'
import { type Kind, maxAgeSeconds, type Scene, signed, signedTexts, skewSeconds } from './scene.ts'

type Claims = Record<string, unknown>

function claimed(name: string, claims: (scene: Scene) => Claims): Kind {
  return { name, make: (scene) => signed(scene, { claims: claims(scene) }) }
}

const needed = ['iss', 'sub', 'aud', 'exp', 'iat', 'client_id']
const missing = needed.map((claim) => claimed(`without ${claim}`, () => ({ [claim]: undefined })))

const wrongValues: readonly unknown[] = [null, true, false, {}, [], [[]], '', ' ', -1, 1e300]
const wrongTypes = [...needed, 'nbf'].flatMap((claim) =>
  wrongValues.map((value) => claimed(`with ${claim} = ${JSON.stringify(value)}`, () => ({ [claim]: value }))),
)
const textTimes = ['exp', 'iat', 'nbf'].map((claim) =>
  claimed(`with ${claim} as a text`, ({ now }) => ({ [claim]: String(now() + (claim === 'exp' ? 600 : 0)) })),
)

const issuers: [string, (issuer: string, scene: Scene) => unknown][] = [
  ['a slash at its end', (issuer) => `${issuer}/`],
  ['capitals', (issuer) => issuer.toUpperCase()],
  ['another case of its path', (issuer) => issuer.replace('acme', 'Acme')],
  ['no path', (issuer) => new URL(issuer).origin],
  ['a longer path', (issuer) => `${issuer}/x`],
  ['another port', (issuer) => issuer.replace(/:\d+/, ':9')],
  ['another scheme', (issuer) => issuer.replace('http:', 'https:')],
  ['an account', (issuer) => issuer.replace('://', '://acme@')],
  ['dots in its path', (issuer) => issuer.replace('/realms', '/x/../realms')],
  ['space around it', (issuer) => ` ${issuer}`],
  ['a letter that looks the same', (issuer) => issuer.replace('acme', 'аcme')],
  ['a list around it', (issuer) => [issuer]],
  ['the name of the second issuer', (_issuer, { second }) => second.issuer],
  ['the name of a stranger', (_issuer, { stranger }) => stranger.issuer],
  ['the name of an object member', () => '__proto__'],
]
const wrongIssuers = issuers.map(([how, change]) =>
  claimed(`whose issuer has ${how}`, (scene) => ({ iss: change(scene.first.issuer, scene) })),
)

const allServers = 'of the address of all servers'
const audiences: [string, (resource: string) => unknown][] = [
  ['with a slash at its end', (resource) => `${resource}/`],
  ['with the host in capitals', (resource) => resource.replace('localhost', 'LOCALHOST')],
  ['with the path in capitals', (resource) => resource.replace('/servers', '/Servers')],
  ['that is a prefix', (resource) => resource.slice(0, -1)],
  ['that is longer', (resource) => `${resource}x`],
  ['of another server', (resource) => resource.replace(/servers\/[a-z]+/, 'servers/other')],
  [allServers, (resource) => `${new URL(resource).origin}/mcp`],
  ['of the gateway itself', (resource) => new URL(resource).origin],
  ['of another installation', () => 'https://staging.example.com/servers/books/mcp'],
  ['with another scheme', (resource) => resource.replace('http:', 'https:')],
  ['with another port', (resource) => resource.replace(/:\d+/, ':1')],
  ['with a query', (resource) => `${resource}?x=1`],
  ['with a fragment', (resource) => `${resource}#x`],
  ['with an account', (resource) => resource.replace('://', '://a@')],
  ['with an escaped slash', (resource) => resource.replace('/mcp', '%2Fmcp')],
  ['with dots', (resource) => resource.replace('/servers', '/x/../servers')],
  ['with space', (resource) => ` ${resource}`],
  ['with a character that is not seen', (resource) => `${resource}\u200b`],
  ['and another', (resource) => [resource, 'https://elsewhere.example.com']],
  ['after another', (resource) => ['https://elsewhere.example.com', resource]],
  ['twice', (resource) => [resource, resource]],
  ['in two lists', (resource) => [[resource]]],
  ['as a member', (resource) => ({ 0: resource, length: 1 })],
  ['separated by spaces', (resource) => `${resource} https://elsewhere.example.com`],
  ['as the path alone', (resource) => new URL(resource).pathname],
  ['for anybody', () => '*'],
  ['for a client', () => 'app-1'],
]
const wrongAudiences = audiences.map(([how, change]) => ({
  ...claimed(`for an audience ${how}`, ({ resource }) => ({ aud: change(resource) })),
  ...(how === allServers ? { isFor: '/mcp' } : {}),
}))

const subjects: [string, string][] = [
  ['space before it', ' u-4711'],
  ['space behind it', 'u-4711 '],
  ['a line break', 'u-\n4711'],
  ['a zero', 'u-4711\u0000'],
  ['a character that is not seen', 'u-\u200b4711'],
  ['a turned direction', 'u-\u202e1174'],
  ['more than 512 characters', 'u'.repeat(513)],
  ['half a character', 'u-\ud83d'],
]
const wrongSubjects = subjects.map(([how, sub]) => claimed(`whose subject has ${how}`, () => ({ sub })))

const times: Kind[] = [
  claimed('expired, to the second', ({ now }) => ({ exp: now() - skewSeconds })),
  claimed('expired one second ago', ({ now }) => ({ exp: now() - skewSeconds - 1 })),
  claimed('expired a day ago', ({ now }) => ({ exp: now() - 86_400 })),
  claimed('expired before it was issued', ({ now }) => ({ exp: now() - 3_000, iat: now() })),
  claimed('of the year 1970', () => ({ exp: 0 })),
  claimed('that ends in the year 40000', () => ({ exp: 1_200_000_000_000 })),
  claimed('in milliseconds', ({ now }) => ({ exp: (now() + 600) * 1_000 })),
  claimed('issued beyond the skew', ({ now }) => aheadBy(now(), skewSeconds + 5)),
  claimed('issued tomorrow', ({ now }) => aheadBy(now(), 86_400)),
  claimed('for beyond the skew', ({ now }) => ({ nbf: now() + skewSeconds + 5 })),
  claimed('for tomorrow', ({ now }) => ({ nbf: now() + 86_400 })),
  claimed('older than one may be, to the second', ({ now }) => agedBy(now(), maxAgeSeconds + skewSeconds)),
  claimed('issued a year ago', ({ now }) => agedBy(now(), 31_536_000)),
  ...['1e400', '-1', '9007199254740993', '1e18', 'NaN', 'Infinity', '0x7fffffff', '17e8x'].map((number) => ({
    name: `that ends at ${number}`,
    make: (scene: Scene) =>
      signedTexts(scene, (texts) => ({ ...texts, claims: texts.claims.replace(/"exp":\d+/, `"exp":${number}`) })),
  })),
]

/** Signed by the same key for something else. */
const otherKinds: [string, Claims, Record<string, unknown>][] = [
  ['an ID token', { nonce: 'n', at_hash: 'h' }, { typ: 'JWT' }],
  ['an ID token that says at+jwt', { nonce: 'n' }, {}],
  ['an ID token of the hybrid flow', { c_hash: 'h' }, {}],
  ['an ID token with the hash of its access token', { at_hash: 'h' }, {}],
  ['a response of a hybrid flow', { s_hash: 'h' }, {}],
  ['a logout token', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }, { typ: 'logout+jwt' }],
  ['a logout token that says at+jwt', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }, {}],
  ['a security event', { events: {}, toe: 1 }, { typ: 'secevent+jwt' }],
  ['a proof of possession', { htm: 'POST', htu: 'http://localhost/' }, { typ: 'dpop+jwt' }],
  ['an assertion of a client', {}, { typ: 'client-authentication+jwt' }],
  ['an identity assertion', {}, { typ: 'oauth-id-jag+jwt' }],
  ['an answer of introspection', {}, { typ: 'token-introspection+jwt' }],
  ['an authorization request', {}, { typ: 'oauth-authz-req+jwt' }],
  ['a presented token that is bound to a key', { cnf: { jkt: 'x' } }, {}],
  ['a presented token that is bound to a certificate', { cnf: { 'x5t#S256': 'x' } }, {}],
  ['a presented token that is bound to something', { cnf: null }, {}],
]
const others = otherKinds.map(([what, claims, header]) => ({
  name: `that is ${what}`,
  make: (scene: Scene) => signed(scene, { claims, header }),
}))

export const badClaims: readonly Kind[] = [
  ...missing,
  ...wrongTypes,
  ...textTimes,
  ...wrongIssuers,
  ...wrongAudiences,
  ...wrongSubjects,
  ...times,
  ...others,
]
