/**
 * Whether a member's name says that its value is a secret.
 * Stops: passwords and keys that have no shape of their own.
 * Trusts: the name; `DB_PASSWORD`, `x-api-key` and `clientSecret2` are read alike.
 * Fails: towards the mask.
 */

const endings =
  /(?:password|passwd|passwort|passphrase|pwd|secret|token|apikey|accesskey|secretkey|privatekey|signingkey|encryptionkey|sessionkey|authorization|cookie|credentials?|secrets|passwords|cookies|apikeys|recoverycodes?|signature)(?:value|text|plain|raw|hash|confirmation|confirm)?$/
const whole = new Set([
  'otp',
  'totp',
  'auth',
  'jwt',
  'bearer',
  'pin',
  'cvv',
  'cvc',
  'csrf',
  'xsrf',
  'sid',
  'pass',
  'requeststate',
])
const tokenLists = /tokens$/
const oneTimeCode = /^\d{3}[ -]?\d{3,5}$/

const longestKnownKeyChars = 64
const mostKnownKeys = 2000
type Kind = 'secret' | 'token-list' | 'code' | 'open'
const knownKeys = new Map<string, Kind>()

function judge(key: string): Kind {
  const word = key
    .toLowerCase()
    .replace(/[^\p{L}\d]/gu, '')
    .replace(/\d{1,8}$/, '')
  if (endings.test(word) || whole.has(word)) return 'secret'
  if (tokenLists.test(word)) return 'token-list'
  return word.endsWith('code') || word.endsWith('otp') ? 'code' : 'open'
}

function kindOf(key: string): Kind {
  const known = knownKeys.get(key)
  if (known !== undefined) return known
  const kind = judge(key.slice(0, 1024))
  if (key.length <= longestKnownKeyChars && knownKeys.size < mostKnownKeys) knownKeys.set(key, kind)
  return kind
}

/** Absent values and booleans (`hasPassword`) are no secrets; `code` is one when it has 6 to 8 digits. */
export function isSecretMember(key: string, value: unknown): boolean {
  const kind = kindOf(key)
  if (kind === 'open' || value === undefined || value === null || typeof value === 'boolean') return false
  if (kind === 'secret') return true
  if (kind === 'token-list') return typeof value !== 'number' && typeof value !== 'bigint'
  if (typeof value === 'string') return oneTimeCode.test(value.trim())
  return (typeof value === 'number' || typeof value === 'bigint') && oneTimeCode.test(String(value))
}
