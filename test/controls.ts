import { budgetControls } from './controls/budgets.ts'
import { approvalControls } from './controls/approvals.ts'
import { informationFlowControls } from './controls/information-flow.ts'
import { oauthControls } from './controls/oauth.ts'
import { keyControls } from './controls/keys.ts'
import { ledgerControls } from './controls/ledger.ts'
import { pageControls } from './controls/pages.ts'
import { policyChangeControls } from './controls/policy-changes.ts'
import { provisioningControls } from './controls/provisioning.ts'
import { serviceAccountControls } from './controls/service-accounts.ts'
import { terminalControls } from './controls/terminals.ts'

/** A security control: what holds, and the requirement that asks for it. */
export interface Control {
  readonly says: string
  /** Ids of the requirement catalogues: G = guarantee, R = regression of a published advisory, F = fault model. */
  readonly sources: readonly string[]
}

/** Every control that Castellan claims. Each needs at least one test written with `proves`. */
export const controls = {
  ...terminalControls,
  ...keyControls,
  ...ledgerControls,
  ...approvalControls,
  ...informationFlowControls,
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
  'AUT-9': {
    says: 'a signing key of an issuer or a client that an admin withdrew is worth nothing at once, whoever still publishes it',
    sources: ['G9', 'ASVS 9.1.3', 'ASVS 7.4.1'],
  },
  'AUT-4': {
    says: 'a revoked credential stops the next request and every open stream',
    sources: ['G9', 'ASVS 7.4.1', 'ASVS 8.3.2'],
  },
  'AUT-5': {
    says: "the caller's own token never reaches an upstream",
    sources: ['G6', 'ASVS 10.1.1', 'AISVS 10.2.7', 'MCP security best practices: token passthrough'],
  },
  'AUT-6': {
    says: 'a secret is found by its hash or opened with a key: how long a wrong one takes tells nothing of the right one',
    sources: ['R10', 'ASVS 11.2.4'],
  },
  'AUT-7': {
    says: 'no spelling of a path, a header or a query leads past authentication',
    sources: ['R1', 'R23', 'G1'],
  },
  'TOK-1': {
    says: 'a signed token counts only by an allowed algorithm and a key that its configured issuer publishes for that',
    sources: ['ASVS 9.1.1', 'ASVS 9.1.2', 'ASVS 9.1.3', 'ASVS 6.8.2', 'G7', 'RFC 8725'],
  },
  'TOK-2': {
    says: 'a token of another environment or issuer is told by its key, never by its claims',
    sources: ['R11', 'G7', 'ASVS 6.8.1', 'ASVS 10.3.3'],
  },
  'TOK-3': {
    says: 'a signed token is good for the one resource it names, written exactly so, and for nothing else beside it',
    sources: [
      'ASVS 9.2.3',
      'ASVS 9.2.4',
      'ASVS 10.3.1',
      'G7',
      'RFC 8707',
      'MCP security best practices: token passthrough',
    ],
  },
  'TOK-4': {
    says: 'what an issuer signs for another end, or for the holder of a key, is no access token here',
    sources: ['ASVS 9.2.2', 'ASVS 10.3.5', 'RFC 9068', 'RFC 8725, section 3.11'],
  },
  'TOK-5': {
    says: 'a person of another issuer has the roles of the mapping by the newest token, and is stopped here as anybody',
    sources: ['R24', 'G9', 'ASVS 6.8.1', 'ASVS 7.4.2', 'ASVS 8.3.2', 'ASVS 10.3.2', 'ASVS 10.3.3'],
  },
  'TOK-6': {
    says: 'trust in an issuer reaches its own addresses alone, and no flood of tokens becomes a flood at the issuer',
    sources: ['R16', 'R17', 'R22', 'R5', 'G17', 'ASVS 10.5.3', 'ASVS 15.3.2'],
  },
  'TOK-7': {
    says: 'a client without the scope is refused and told in one challenge all it needs, wherever it comes',
    sources: ['ASVS 10.3.2', 'ASVS 10.2.3', 'MCP 2026-07-28 authorization', 'RFC 6750, section 3.1'],
  },
  'SES-1': {
    says: 'a session id is useless to any other principal and on any other upstream',
    sources: ['R19', 'G18', 'MCP security best practices: session hijacking'],
  },
  'SES-2': {
    says: 'no answer or notification of one client is ever given to another, also when their request ids are equal',
    sources: ['G18', 'R18'],
  },
  'SES-8': {
    says: 'a stream that waits for news ends when nobody uses it and when it is as old as one may be, and tells its client so',
    sources: ['ASVS 7.3.1', 'ASVS 7.3.2', 'G9'],
  },
  'SES-3': {
    says: 'a sign-in session ends when it was idle too long, when it is too old and when it is signed out',
    sources: ['ASVS 7.3.1', 'ASVS 7.3.2', 'ASVS 7.4.1'],
  },
  'SES-4': {
    says: 'what a server asks in the middle of a call is answered by the session that made the call, and by no other',
    sources: ['G18', 'R18', 'R19', 'MCP 2025-11-25 elicitation'],
  },
  'SES-5': {
    says: 'the state of a call that waits for answers is good once, for its own principal, server and arguments, and not for long',
    sources: ['G8', 'G18', 'MCP security best practices: state handles', 'MCP 2026-07-28 requestState'],
  },
  'SES-6': {
    says: 'a task is read, fed, followed, listed and cancelled by the person it was made for, and by nobody else',
    sources: ['G18', 'ASVS 8.2.2', 'MCP 2025-11-25 tasks', 'MCP extension io.modelcontextprotocol/tasks'],
  },
  'SES-7': {
    says: 'an event stream of 2024-11-05 carries answers to its own person, its messages pass every guard, its end ends its session',
    sources: ['G18', 'R19', 'R6', 'MCP 2024-11-05 HTTP with SSE'],
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
  'FED-1': {
    says: "an identity provider's answer counts once, within ten minutes, in the browser that began, and leads to a page here",
    sources: ['ASVS 10.1.2', 'ASVS 10.2.1', 'ASVS 7.6.2', 'RFC 9700'],
  },
  'FED-2': {
    says: 'the answer of one identity provider is never taken to another',
    sources: ['ASVS 10.2.2', 'RFC 9207'],
  },
  'FED-3': {
    says: 'an ID token counts only with the signature of its issuer, for this client, this sign-in and this moment',
    sources: ['ASVS 6.8.2', 'ASVS 10.5.1', 'ASVS 10.5.4', 'OpenID Connect Core 1.0, section 3.1.3.7'],
  },
  'FED-4': {
    says: 'an account at an identity provider is a person by its issuer and subject, never by a name or an e-mail address',
    sources: ['ASVS 6.8.1', 'ASVS 10.3.3', 'ASVS 10.5.2'],
  },
  'FED-5': {
    says: 'what is sent to an identity provider goes to the issuer and the hosts that an admin named for it, and nowhere else',
    sources: ['R16', 'R17', 'ASVS 10.5.3'],
  },
  'FED-6': {
    says: 'groups at an identity provider give the roles that are mapped to them, and nobody maps or links more than they have',
    sources: ['R24', 'ASVS 8.3.2', 'ASVS 10.3.2'],
  },
  'FED-7': {
    says: 'only a logout token of the issuer ends sessions, once',
    sources: ['ASVS 10.5.5', 'ASVS 10.6.2', 'R27'],
  },
  'FED-8': {
    says: 'who comes in by an identity provider is active and has shown as many factors as anybody else has to',
    sources: ['ASVS 6.3.4', 'ASVS 6.8.4', 'ASVS 7.4.2', 'ASVS 10.3.4'],
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
  'POL-4': {
    says: "files of a server's machine and the roots of a client's need a permission of their own, which no wildcard holds",
    sources: ['R14', 'G3'],
  },
  'POL-5': {
    says: 'a rule about arguments judges what the server reads: another type, a look-alike or what is not told never passes',
    sources: ['G3', 'G5', 'ASVS 8.3.1', 'AISVS 9.5.1', 'AISVS 10.2.5'],
  },
  'POL-6': {
    says: 'a denial names its rule to whoever may use the server, as far as the rule lets it, and to nobody else',
    sources: ['G3', 'AISVS 9.5.1'],
  },
  'PIN-1': { says: 'a tool that no admin approved is neither seen nor called', sources: ['G10', 'AISVS 10.4.8'] },
  'PIN-2': {
    says: 'a tool whose definition changed is stopped until the new definition is approved',
    sources: ['G10', 'AISVS 10.4.8', 'MCP03'],
  },
  'PIN-3': {
    says: 'a tool that can be taken for an approved one is approved only by whoever names the one it is taken for',
    sources: ['G10', 'AISVS 10.4.8', 'MCP03', 'UTS 39'],
  },
  'PIN-4': {
    says: 'what is approved is what was shown, where it was shown, and the ledger says what that was and who approved it',
    sources: ['G10', 'AISVS 10.4.8'],
  },
  'PIN-5': {
    says: 'a definition is read at a bounded cost, nothing it refers to is fetched, nothing it hides is passed over',
    sources: ['G10', 'G16', 'G17', 'MCP03', 'MCP 2026-07-28 tools'],
  },
  'MSG-1': {
    says: 'what is decided on is what is forwarded: headers that contradict the body are refused',
    sources: ['G4', 'R1', 'R2', 'MCP 2026-07-28 transport'],
  },
  'MSG-2': { says: 'a message beyond a ceiling is refused, not read', sources: ['G17', 'R21', 'AISVS 10.4.5'] },
  'MSG-3': {
    says: 'every reader finds the same in a message: keys, characters and numbers that readers disagree about are refused',
    sources: ['G4', 'R2', 'ASVS 1.5.3', 'ASVS 15.3.6', 'RFC 8259, sections 4, 6 and 8'],
  },
  'MSG-4': {
    says: 'no text, however it is made, keeps a pattern of ours busy for longer than its length explains',
    sources: ['G17', 'R20', 'ASVS 1.3.12'],
  },
  'MSG-5': {
    says: 'a message in a batch passes where it would pass alone, and is on record by itself',
    sources: ['G1', 'G4', 'R6', 'MCP 2025-03-26 batching'],
  },
  'NET-1': {
    says: 'a browser page of another origin and a rebound host name get nothing',
    sources: ['R4', 'R7', 'AISVS 10.3.3', 'MCP security best practices: DNS rebinding'],
  },
  'NET-2': {
    says: 'an address outside the allowed networks gets nothing; the admin listener admits this machine only unless told',
    sources: ['R10', 'G17'],
  },
  'NET-3': {
    says: 'no header of a request changes who sent it, where it comes from or where it goes',
    sources: ['R1', 'R23', 'ASVS 4.1.3', 'ASVS 15.3.4'],
  },
  'NET-4': { says: 'what belongs to one listener is not served by the other', sources: ['R10'] },
  'LIM-1': {
    says: 'an address and a person have so many requests a minute, whatever they claim, and are told when to come back',
    sources: ['F12', 'G17', 'R21', 'ASVS 15.2.2'],
  },
  'LIM-2': {
    says: 'one person can take neither all connections of an upstream nor all streams of the process',
    sources: ['F12', 'G17', 'R21'],
  },
  'LIM-3': {
    says: 'an answer has a largest size and a longest time, whatever its upstream does to keep it alive',
    sources: ['F9', 'F10', 'G17', 'R21'],
  },
  'FRM-1': {
    says: 'a request whose end two readers could see in different places is refused, and nothing after it is read',
    sources: ['F14', 'G4', 'ASVS 4.2.1', 'ASVS 4.2.2', 'ASVS 13.4.4'],
  },
  'FRM-2': { says: 'only HTTP/1.1 is spoken, so no flood of HTTP/2 can be sent', sources: ['F13', 'R38'] },
  'CON-1': {
    says: 'a client that sends or takes too slowly is cut off, and others are served meanwhile',
    sources: ['F12', 'G17', 'ASVS 13.1.2'],
  },
  'CON-2': {
    says: 'connections are bounded, for each address and in all, and a flood of them leaves others served',
    sources: ['F12', 'G17', 'ASVS 13.2.6'],
  },
  'TLS-1': {
    says: 'nothing but TLS 1.2 and 1.3 with forward secrecy is spoken, and plain HTTP on this machine only',
    sources: ['ASVS 12.1.1', 'ASVS 12.1.2', 'ASVS 12.2.1', 'R38'],
  },
  'TLS-2': {
    says: 'a new certificate is taken over without a call lost, and one that cannot be used changes nothing',
    sources: ['F19', 'F21'],
  },
  'DRN-1': {
    says: 'a stop loses no call: what reached an upstream is answered and on record, what did not is told so',
    sources: ['G1', 'G2', 'ASVS 16.5.3', 'MCP 2026-07-28 transport: a broken stream loses its request'],
  },
  'CFG-1': {
    says: 'castellan does not start on a secret that is weak, known to everybody or readable for everybody',
    sources: ['R1', 'R12', 'ASVS 13.2.3'],
  },
  'CFG-2': {
    says: 'a configuration is taken over as a whole or not at all, on record before it is in force',
    sources: ['F24', 'ASVS 2.3.3', 'ASVS 13.2.6'],
  },
  'CLI-1': {
    says: 'nothing that lies in a project makes the command line write outside of it, or tell what a file holds',
    sources: ['G16', 'ASVS 14.2.6'],
  },
  'CLI-2': {
    says: "a client's token goes to the address it was given for, never unencrypted to another machine, never as an argument",
    sources: ['G6', 'ASVS 12.2.1', 'ASVS 15.3.2', 'MCP 2026-07-28 authorization'],
  },
  'UPS-1': {
    says: 'an answer that is wrong in any way costs its caller an error, and nobody anything else',
    sources: ['F11', 'G17', 'G18'],
  },
  'UPS-2': {
    says: 'a stream or list without end is held in bounded memory, also while its client takes nothing',
    sources: ['F9', 'F10', 'F12', 'G17'],
  },
  'UPS-3': {
    says: 'a redirect of an upstream is not followed: nothing of a request goes to a place that no admin named',
    sources: ['R17', 'G6', 'G16', 'ASVS 15.3.2'],
  },
  'UPS-4': {
    says: 'nothing enters the stream of a client, no event, position or time to wait, that was not inspected',
    sources: ['G18', 'F11', 'WHATWG HTML, section 9.2'],
  },
  'UPS-5': {
    says: 'nobody is asked by a server for what their client did not offer, nor sent to an address that is not safe to open',
    sources: ['G18', 'R17', 'MCP security best practices: elicitation', 'MCP 2025-11-25 elicitation'],
  },
  'JNT-1': {
    says: 'where several servers answer at one address, none answers for another, and each call passes the guards of its server',
    sources: ['G3', 'G10', 'MCP06', 'MCP 2026-07-28, tools: names'],
  },
  'JNT-2': {
    says: 'a place in a list, or a state, that was given to one person opens for nobody else, nowhere else and for nothing else',
    sources: ['G18', 'MCP security best practices: state handles'],
  },
  'JNT-3': {
    says: 'a server that is slow, broken, held or gone takes only its own things from what several answer together',
    sources: ['F8', 'F11', 'AISVS 10.2.6'],
  },
  'UPS-6': {
    says: 'an upstream that fails again and again is not asked for a while: nobody waits for it, and one call finds out when it is back',
    sources: ['F11', 'G17'],
  },
  'UPS-7': {
    says: 'what may have had an effect is never sent again by castellan; what was not sent goes to another endpoint',
    sources: ['G1', 'G23', 'MCP tools: annotations, idempotentHint'],
  },
  'UPS-8': {
    says: 'an upstream that is slow, floods or never ends costs the callers of other upstreams nothing',
    sources: ['F8', 'F9', 'F11', 'G17'],
  },
  'OBS-1': {
    says: 'the metrics are read with their token or a permitted session, on the admin listener only',
    sources: ['ASVS 13.4.5', 'R10'],
  },
  'OBS-2': {
    says: 'nothing that is sent can begin a line of the log, end one, or steer the terminal of its reader',
    sources: ['ASVS 16.4.1'],
  },
  'OBS-3': {
    says: 'no secret, argument, result or address of a resource is in the log, the metrics or the traces',
    sources: ['ASVS 16.2.5', 'ASVS 16.2.3', 'G14'],
  },
  'OBS-4': {
    says: 'whatever becomes of metrics, traces and log, no call waits for them or fails with them',
    sources: ['F25', 'ASVS 16.5.2', 'G17'],
  },
  'OBS-5': {
    says: 'what callers and upstreams make up becomes no series of the metrics and no name of a span',
    sources: ['G17', 'ASVS 15.2.2'],
  },
  'OBS-6': {
    says: 'what nothing caught is on record, and the process ends instead of going on in an unknown state',
    sources: ['F23', 'ASVS 16.5.4'],
  },
  'STD-1': {
    says: 'a process starts only from a command an admin approved, and never through a shell',
    sources: ['G19', 'R3', 'R22', 'ASVS 1.2.5'],
  },
  'STD-2': { says: "an upstream's process sees none of Castellan's environment", sources: ['G19', 'G6'] },
  'STD-4': {
    says: "an upstream's process that crashes is started again after a pause that grows, and for the next one who asks",
    sources: ['F11', 'G19', 'G17'],
  },
  'STD-3': { says: "an upstream's process ends with everything it started", sources: ['G19', 'AISVS 10.2.6'] },
  ...oauthControls,
  ...policyChangeControls,
  ...provisioningControls,
  ...serviceAccountControls,
  ...pageControls,
  ...budgetControls,
} as const satisfies Record<string, Control>

export type ControlId = keyof typeof controls
