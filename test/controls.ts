/** A security control: what holds, and the requirement that asks for it. */
export interface Control {
  readonly says: string
  /** Ids of the requirement catalogues: G = guarantee, R = regression of a published advisory, F = fault model. */
  readonly sources: readonly string[]
}

/** Every control that Castellan claims. Each needs at least one test written with `proves`. */
export const controls = {
  'AUT-1': {
    says: 'no request reaches an upstream without a verified person; there is no anonymous principal',
    sources: ['G1', 'R5', 'AISVS 10.2.1', 'MCP authorization'],
  },
  'AUT-2': {
    says: 'an access token works only for the resource it was minted for',
    sources: ['G7', 'ASVS 9.2.3', 'AISVS 10.2.2', 'RFC 8707'],
  },
  'AUT-3': {
    says: 'an expired credential is worth nothing, to the millisecond',
    sources: ['G7', 'ASVS 9.2.1', 'AISVS 10.2.2'],
  },
  'AUT-4': {
    says: 'a revoked credential stops the next request and every open stream',
    sources: ['G9', 'ASVS 7.4.1', 'ASVS 8.3.2'],
  },
  'AUT-5': {
    says: "the caller's own token never reaches an upstream",
    sources: ['G6', 'AISVS 10.2.7', 'MCP security best practices: token passthrough'],
  },
  'SES-1': {
    says: 'a session id is useless to any other principal and on any other upstream',
    sources: ['R19', 'G18', 'MCP security best practices: session hijacking'],
  },
  'SES-2': {
    says: 'no answer or notification of one client is ever given to another, also when their request ids are equal',
    sources: ['G18', 'R18'],
  },
  'SES-3': {
    says: 'a sign-in session ends when it was idle too long, when it is too old and when it is signed out',
    sources: ['ASVS 7.3.1', 'ASVS 7.3.2', 'ASVS 7.4.1'],
  },
  'SGN-1': {
    says: 'nobody signs in without the second factor they enrolled',
    sources: ['ASVS 6.3.3', 'NIST SP 800-63B-4 AAL2'],
  },
  'SGN-2': { says: 'a one-time code works once, however it is typed', sources: ['G8', 'R32', 'ASVS 6.5.1'] },
  'SGN-3': { says: 'a recovery code works once', sources: ['G8', 'ASVS 6.5.1'] },
  'SGN-4': { says: 'guessing passwords and codes is slowed until it is hopeless', sources: ['ASVS 6.3.1', 'G20'] },
  'SGN-5': {
    says: 'nobody can lock another person out by failing in their name',
    sources: ['ASVS 6.1.1', 'G22', 'R33'],
  },
  'SGN-6': { says: 'a stranger cannot tell a known name from an unknown one', sources: ['ASVS 6.3.8', 'G20'] },
  'SGN-7': {
    says: 'there is no default account, and a set-up link works once and not for long',
    sources: ['ASVS 6.3.2', 'ASVS 6.4.1', 'G8'],
  },
  'POL-1': { says: 'nothing is allowed that no grant allows', sources: ['G5', 'ASVS 8.3.1'] },
  'POL-2': {
    says: 'what cannot be called is not listed, and what is hidden cannot be called',
    sources: ['G3', 'R6', 'AISVS 10.2.4'],
  },
  'POL-3': {
    says: 'a hold stops the next request and every open stream it covers',
    sources: ['AISVS 9.1.3', 'AISVS 9.6.1', 'G9'],
  },
  'PIN-1': { says: 'a tool that no admin approved is neither seen nor called', sources: ['G10', 'AISVS 10.4.8'] },
  'PIN-2': {
    says: 'a tool whose definition changed is stopped until the new definition is approved',
    sources: ['G10', 'AISVS 10.4.8', 'MCP03'],
  },
  'MSG-1': {
    says: 'what is decided on is what is forwarded: headers that contradict the body are refused',
    sources: ['G4', 'R2', 'MCP 2026-07-28 transport'],
  },
  'MSG-2': { says: 'a message beyond a ceiling is refused, not read', sources: ['G17', 'R21', 'AISVS 10.4.5'] },
  'NET-1': {
    says: 'a browser page of another origin and a rebound host name get nothing',
    sources: ['R4', 'R7', 'AISVS 10.3.2'],
  },
  'LED-1': { says: 'the intent of a call is durable before its upstream is contacted', sources: ['G1', 'G2'] },
  'LED-2': { says: 'while the ledger cannot write, no call passes', sources: ['F3', 'G5', 'ASVS 16.5.3'] },
  'LED-3': { says: 'every refusal is in the ledger', sources: ['ASVS 16.3.2', 'ASVS 16.3.3'] },
  'LED-4': { says: 'secrets and personal data do not reach the ledger', sources: ['R34', 'ASVS 16.2.5'] },
  'LED-5': {
    says: 'a changed, missing, reordered or truncated entry is found and named, offline',
    sources: ['G12', 'R37', 'ASVS 16.4.2'],
  },
  'UPS-1': {
    says: 'an answer that is wrong in any way costs its caller an error, and nobody anything else',
    sources: ['F11', 'G17', 'G18'],
  },
  'UPS-2': {
    says: 'a stream or list without end is held in bounded memory, also while its client takes nothing',
    sources: ['F9', 'F10', 'F12', 'G17'],
  },
  'STD-1': {
    says: 'a process starts only from a command an admin approved, and never through a shell',
    sources: ['G19', 'R3', 'R22', 'ASVS 1.2.5'],
  },
  'STD-2': { says: "an upstream's process sees none of Castellan's environment", sources: ['G19', 'G6'] },
  'STD-3': { says: "an upstream's process ends with everything it started", sources: ['G19', 'AISVS 10.2.6'] },
} as const satisfies Record<string, Control>

export type ControlId = keyof typeof controls
