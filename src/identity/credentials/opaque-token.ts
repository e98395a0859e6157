/**
 * What does a bearer secret look like? A prefix that scanners recognise and 256 random bits; stored as SHA-256.
 * Stops a stolen database from being a set of credentials, and malformed input before any look-up.
 * Trusts node:crypto. Fails by knowing no such token.
 */
import { hash, randomBytes } from 'node:crypto'

export type TokenKind = 'access-token' | 'session' | 'enrolment' | 'oauth-access' | 'oauth-refresh' | 'reset' | 'scim'

const prefixes: Readonly<Record<TokenKind, string>> = {
  'access-token': 'cst_',
  session: 'css_',
  enrolment: 'cse_',
  'oauth-access': 'coa_',
  'oauth-refresh': 'cor_',
  reset: 'csr_',
  scim: 'csp_',
}
const shapes: Readonly<Record<TokenKind, RegExp>> = {
  'access-token': /^cst_[A-Za-z0-9_-]{43}$/,
  session: /^css_[A-Za-z0-9_-]{43}$/,
  enrolment: /^cse_[A-Za-z0-9_-]{43}$/,
  'oauth-access': /^coa_[A-Za-z0-9_-]{43}$/,
  'oauth-refresh': /^cor_[A-Za-z0-9_-]{43}$/,
  reset: /^csr_[A-Za-z0-9_-]{43}$/,
  scim: /^csp_[A-Za-z0-9_-]{43}$/,
}

/** A new token: 4 characters of prefix, 43 of base64url. Shown once, to its holder. */
export function createToken(kind: TokenKind): string {
  return prefixes[kind] + randomBytes(32).toString('base64url')
}

/** SHA-256 in hex. A fast hash is enough: 256 random bits cannot be guessed. */
export function hashToken(token: string): string {
  return hash('sha256', token)
}

/** The hash to look up, or undefined when this cannot be a token of that kind. */
export function readToken(kind: TokenKind, presented: string): string | undefined {
  return shapes[kind].test(presented) ? hashToken(presented) : undefined
}
