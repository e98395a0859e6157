/** What is claimed of the authorization server. */
export const oauthControls = {
  'OAU-1': {
    says: 'an authorization code works once, for a minute, for the client, address, verifier and resource it was made for',
    sources: ['ASVS 10.4.2', 'ASVS 10.4.3', 'ASVS 10.4.6', 'OAuth 2.1'],
  },
  'OAU-2': {
    says: 'a refresh token works once; its reuse ends everything that was granted with it',
    sources: ['R30', 'R31', 'G8', 'ASVS 2.3.3', 'ASVS 10.4.5', 'ASVS 10.4.8', 'RFC 9700, section 4.14'],
  },
  'OAU-3': {
    says: 'nobody is sent to an address that a client did not register, to the letter',
    sources: ['R29', 'ASVS 10.4.1', 'OAuth 2.1'],
  },
  'OAU-4': {
    says: 'a person says yes to each request of each client, in the browser that began it',
    sources: ['R9', 'ASVS 10.1.2', 'ASVS 10.4.7', 'ASVS 10.7.1', 'MCP security best practices: confused deputy'],
  },
  'OAU-5': {
    says: 'every answer of the authorization server names the configured issuer, whatever its client says',
    sources: ['ASVS 10.2.2', 'RFC 9207'],
  },
  'OAU-6': {
    says: 'a client gets no more than it registered for and its person granted: one resource, known scopes, its own grants',
    sources: ['G7', 'ASVS 10.2.3', 'ASVS 10.3.1', 'ASVS 10.4.4', 'ASVS 10.4.11', 'RFC 8707'],
  },
  'OAU-7': {
    says: 'clients that register themselves are limited in number and can be kept out by an admin',
    sources: ['ASVS 10.4.7', 'F12'],
  },
  'OAU-8': {
    says: "a client's metadata are fetched from public addresses only, in bounds, without redirects",
    sources: ['R16', 'R17', 'MCP authorization: client ID metadata documents'],
  },
  'OAU-9': {
    says: 'a token bound to a key is worth nothing without a fresh proof of that key for this request',
    sources: ['R27', 'ASVS 10.3.5', 'RFC 9449'],
  },
  'OAU-10': {
    says: 'a revocation that could not be carried out is not said to have been',
    sources: ['R28', 'RFC 7009'],
  },
  'OAU-11': {
    says: 'a token of another installation is refused because it is not known, not because of what it says',
    sources: ['R11'],
  },
  'OAU-12': {
    says: "an identity provider's assertion gives one token, once, to the client and for the resource that it names",
    sources: ['R27', 'MCP enterprise-managed authorization'],
  },
  'OAU-13': {
    says: 'a client exchanges tokens only where an administrator let it: never for another resource, a wider scope, a longer life or in the name of another',
    sources: ['G7', 'S2', 'RFC 8693', 'RFC 8707'],
  },
  'OAU-14': {
    says: 'a token that was exchanged for another ends with it: with its grant, its person, its clients and its issuer',
    sources: ['G8', 'ASVS 7.4.2', 'RFC 8693'],
  },
  'OAU-15': {
    says: 'a token is as old as the proof behind it: refreshing it, or making one from an old session, makes no proof younger',
    sources: ['G2', 'RFC 9470', 'ASVS 7.5.3'],
  },
} as const
