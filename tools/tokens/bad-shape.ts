/** What looks like a token until it is read: cut, joined, wrapped, doubled, in other letters. */
import { base64url, signParts } from '../../test/world/issuers/signing.ts'
import { goodParts, type Kind, type Scene, signed, signedTexts } from './scene.ts'

function shaped(name: string, change: (token: string, scene: Scene) => string): Kind {
  return { name, make: (scene) => change(signed(scene, {}), scene) }
}

function part(token: string, at: number): string {
  return token.split('.')[at] ?? ''
}

function joined(token: string, change: (parts: string[]) => string[]): string {
  return change(token.split('.')).join('.')
}

const cuts: Kind[] = [
  shaped('of one dot', () => '.'),
  shaped('of two dots', () => '..'),
  shaped('of four dots', () => '....'),
  shaped('without its signature', (token) => `${part(token, 0)}.${part(token, 1)}`),
  shaped('without its signature but with the dot', (token) => `${part(token, 0)}.${part(token, 1)}.`),
  shaped('without its claims', (token) => `${part(token, 0)}..${part(token, 2)}`),
  shaped('without its header', (token) => `.${part(token, 1)}.${part(token, 2)}`),
  shaped('with its claims twice', (token) => joined(token, ([a = '', b = '', c = '']) => [a, b, b, c])),
  shaped('with its parts in another order', (token) => joined(token, (parts) => parts.toReversed())),
  shaped('with a dot before it', (token) => `.${token}`),
  shaped('with a dot behind it', (token) => `${token}.`),
  shaped('twice', (token) => `${token}.${token}`),
  shaped('as if it were encrypted', (token) => joined(token, ([a = '', b = '', c = '']) => [a, b, c, c, c])),
  shaped('cut in the middle', (token) => token.slice(0, token.length / 2)),
  shaped('without its last letter', (token) => token.slice(0, -1)),
  shaped('without its first letter', (token) => token.slice(1)),
  shaped('in capitals', (token) => token.toUpperCase()),
  shaped('with a prefix of ours', (token) => `cst_${token}`),
  shaped('with another prefix of ours', (token) => `coa_${token}`),
  shaped('with the scheme once more', (token) => `Bearer.${token}`),
]

const letters: Kind[] = [
  shaped('in quotes', (token) => `"${token}"`),
  shaped('with a space in it', (token) => token.replace('.', ' .')),
  shaped('with a line break in it', (token) => token.replace('.', '.\n')),
  shaped('with a tab behind it', (token) => `${token}\t.`),
  shaped('with a letter that is not seen', (token) => token.replace('.', '.\u200b')),
  shaped('with dots that look the same', (token) => token.replaceAll('.', '․')),
  shaped('with escapes', (token) => token.replaceAll('.', '%2E')),
  shaped('with filled parts', (token) => joined(token, (parts) => parts.map((one) => `${one}=`))),
  shaped('in the other base64', (token) => token.replaceAll('-', '+').replaceAll('_', '/').replace('.', '.+/')),
  shaped('with a bit that no byte needs', (token) => joined(token, ([a = '', ...rest]) => [respelled(a), ...rest])),
  shaped('with a bit in its claims that no byte needs', (token) =>
    joined(token, ([a = '', b = '', c = '']) => [a, respelled(b), c]),
  ),
]

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** Another spelling of the same bytes where there is one, else one letter too many. */
function respelled(text: string): string {
  if (text.length % 4 === 0) return `${text}A`
  return text.slice(0, -1) + alphabet.charAt(alphabet.indexOf(text.slice(-1)) ^ 1)
}

/** Signed all right, and not what a reader of JSON would agree about. */
const texts: [string, (claims: string, header: string) => { claims?: string; header?: string }][] = [
  ['nothing in its claims', () => ({ claims: '' })],
  ['a list in its claims', (claims) => ({ claims: `[${claims}]` })],
  ['a text in its claims', (claims) => ({ claims: JSON.stringify(claims) })],
  ['null in its claims', () => ({ claims: 'null' })],
  ['a number in its claims', () => ({ claims: '7' })],
  ['no claims', () => ({ claims: '{}' })],
  ['two objects in its claims', (claims) => ({ claims: claims + claims })],
  ['something behind its claims', (claims) => ({ claims: `${claims}x` })],
  ['a zero behind its claims', (claims) => ({ claims: `${claims}\u0000` })],
  ['a comma too many', (claims) => ({ claims: claims.replace(/}$/, ',}') })],
  ['a comment', (claims) => ({ claims: claims.replace('{', '{/* */') })],
  ['other quotes', (claims) => ({ claims: claims.replaceAll('"', "'") })],
  ['a mark of byte order', (claims) => ({ claims: `\u{feff}${claims}` })],
  ['a mark of byte order in its header', (_claims, header) => ({ header: `\u{feff}${header}` })],
  ['a list in its header', (_claims, header) => ({ header: `[${header}]` })],
  ['nothing in its header', () => ({ header: '' })],
  [
    'a key that others inherit from',
    (claims) => ({ claims: claims.replace('{', '{"__proto__":{"groups":["staff"]},') }),
  ],
  ['such a key in its header', (_claims, header) => ({ header: header.replace('{', '{"__proto__":{"alg":"none"},') })],
  ['half a character', (claims) => ({ claims: claims.replace('{', '{"x":"\\ud83d",') })],
  ['a tower', (claims) => ({ claims: claims.replace('{', `{"x":${'['.repeat(100)}${']'.repeat(100)},`) })],
]
const unread = texts.map(([what, change]) => ({
  name: `with ${what}`,
  make: (scene: Scene) => signedTexts(scene, ({ header, claims }) => ({ header, claims, ...change(claims, header) })),
}))

/** The first of the two is what some readers take, the second what others do. */
function doubled(where: 'header' | 'claims', key: string, value: unknown, isEscaped: boolean): Kind[] {
  const written = isEscaped ? `\\u${(key.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}${key.slice(1)}` : key
  const member = `"${written}":${JSON.stringify(value)}`
  const how = isEscaped ? ' in escapes' : ''
  const double = (before: boolean) => (texts: { header: string; claims: string }) => {
    const text = texts[where]
    return { ...texts, [where]: before ? text.replace('{', `{${member},`) : text.replace(/}$/, `,${member}}`) }
  }
  return [
    { name: `with another ${key} before its own${how}`, make: (scene) => signedTexts(scene, double(true)) },
    { name: `with another ${key} behind its own${how}`, make: (scene) => signedTexts(scene, double(false)) },
  ]
}

const twice: Kind[] = [
  ['claims', 'iss', 'https://other.example'],
  ['claims', 'aud', 'https://other.example'],
  ['claims', 'sub', 'root'],
  ['claims', 'exp', 4_000_000_000],
  ['claims', 'groups', ['staff']],
  ['header', 'alg', 'none'],
  ['header', 'kid', 'other'],
  ['header', 'typ', 'JWT'],
].flatMap(([where, key, value]) => [
  ...doubled(where as 'header' | 'claims', key as string, value, false),
  ...doubled(where as 'header' | 'claims', key as string, value, true),
])

const wrapped: Kind[] = [
  { name: 'inside another token', make: (s) => nested(s, { cty: 'JWT' }) },
  { name: 'inside another token that does not say so', make: (s) => nested(s, {}) },
  { name: 'in the form of JSON', make: (s) => asJson(s, false) },
  { name: 'in the form of JSON with several signatures', make: (s) => asJson(s, true) },
  { name: 'that is huge', make: (s) => signed(s, { claims: { x: 'x'.repeat(80_000) } }) },
  { name: 'with a huge header', make: (s) => signed(s, { header: { x: 'x'.repeat(80_000) } }) },
  { name: 'in bytes that are no letters', make: (s) => notText(s) },
  { name: 'in letters of two bytes', make: (s) => inTwoBytes(s) },
]

function nested(scene: Scene, header: Record<string, unknown>): string {
  const good = goodParts(scene)
  return signParts(scene.keys.es, JSON.stringify({ ...good.header, ...header }), signed(scene, {}))
}

function asJson(scene: Scene, isGeneral: boolean): string {
  const [header, payload, signature] = signed(scene, {}).split('.')
  const one = { protected: header, signature }
  return base64url(JSON.stringify(isGeneral ? { payload, signatures: [one] } : { payload, ...one })) + '..'
}

function notText(scene: Scene): string {
  const [header, payload, signature] = signed(scene, {}).split('.')
  const bytes = Buffer.concat([Buffer.from(payload ?? '', 'base64url'), Buffer.from([0xff, 0xc0])])
  return `${header}.${base64url(bytes)}.${signature}`
}

function inTwoBytes(scene: Scene): string {
  const { header, claims } = goodParts(scene)
  const parts = [header, claims].map((one) => base64url(Buffer.from(JSON.stringify(one), 'utf16le')))
  return `${parts.join('.')}.${part(signed(scene, {}), 2)}`
}

export const badShapes: readonly Kind[] = [...cuts, ...letters, ...unread, ...twice, ...wrapped]
