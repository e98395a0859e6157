/**
 * By which names does a client ask for an exchange? Stops: a second spelling. Trusts: nothing; these are constants.
 * Fails: at compile time, on a name that is not here.
 * @see RFC 8693, section 3
 */

/** The grant type of token exchange. */
export const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** What a token is, as a client names it. */
export const tokenTypes = {
  access: 'urn:ietf:params:oauth:token-type:access_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
} as const
