/**
 * What the authorization server writes into the ledger. Stops a client, grant or token that no record explains.
 * Trusts the ledger to say when an entry is durable. Fails at compile time on an event that is not listed.
 */
import { defineEvent } from '#audit'

export const clientRegistered = defineEvent({
  name: 'client.registered',
  says: 'an OAuth client became known: by an admin, by registering itself, or by its metadata document',
})
export const clientRefused = defineEvent({
  name: 'client.refused',
  says: 'an OAuth client was not registered, could not be authenticated, or may not do what it asked for',
})
export const clientApproved = defineEvent({
  name: 'client.approved',
  says: 'an admin approved an OAuth client that had registered itself',
})
export const clientBlocked = defineEvent({
  name: 'client.blocked',
  says: 'an admin blocked an OAuth client; its grants and tokens ended with it',
})
export const clientKeyWithdrawn = defineEvent({
  name: 'client.key-withdrawn',
  says: 'an admin withdrew a key of an OAuth client; what the client had been given ended with it',
})
export const grantMade = defineEvent({
  name: 'grant.made',
  says: 'a person let an OAuth client act for them at one resource',
})
export const grantRefused = defineEvent({
  name: 'grant.refused',
  says: 'an OAuth client asked to act for a person and was refused, by the person or by the rules',
})
export const grantEnded = defineEvent({
  name: 'grant.ended',
  says: 'what an OAuth client was granted ended with all its tokens: by the person, an admin, the client, or reuse of a code or refresh token',
})
export const oauthTokenIssued = defineEvent({
  name: 'oauth-token.issued',
  says: 'an OAuth client was given an access token',
})
export const oauthTokenRefused = defineEvent({
  name: 'oauth-token.refused',
  says: 'an OAuth client asked for a token, or to end or inspect one, and was refused',
})
export const oauthTokenRevoked = defineEvent({
  name: 'oauth-token.revoked',
  says: 'an OAuth client ended one of its tokens',
})

/** All of them, for the catalogue. */
export const oauthEvents = [
  clientRegistered,
  clientRefused,
  clientApproved,
  clientBlocked,
  clientKeyWithdrawn,
  grantMade,
  grantRefused,
  grantEnded,
  oauthTokenIssued,
  oauthTokenRefused,
  oauthTokenRevoked,
]
