/**
 * What does the data plane itself refuse with?
 * Stops: sentences with internals in them: each is written here, once.
 * Trusts: nothing.
 * Fails: an unknown failure is `gateway.fault`.
 */
import { defineRefusals, refuse, type Refusal } from '#kernel'
import { errorCodes, type Era } from '#protocol'

export const gatewayRefusals = defineRefusals({
  fault: {
    code: 'gateway.fault',
    says: 'castellan could not decide this request, so it was refused',
    hint: 'try again; if it stays, give the request id to your administrator',
    status: 500,
  },
  addressNotAllowed: {
    code: 'gateway.address-not-allowed',
    says: 'this gateway does not answer to address {address}',
    hint: 'use a network that your administrator has allowed, or ask for yours to be added',
    status: 403,
  },
  hostNotAllowed: {
    code: 'gateway.host-not-allowed',
    says: 'this gateway does not answer for host {host}',
    hint: 'use the address that `castellan connect` printed',
    status: 403,
  },
  originNotAllowed: {
    code: 'gateway.origin-not-allowed',
    says: 'requests from origin {origin} are not allowed',
    hint: 'call the gateway from a client, not from a page of another site',
    status: 403,
  },
  rateExceeded: {
    code: 'gateway.rate-exceeded',
    says: 'too many requests in this minute',
    hint: 'wait for the seconds in `Retry-After`, then go on more slowly',
    status: 429,
  },
  tooManyCalls: {
    code: 'gateway.too-many-calls',
    says: 'you have as many open calls to this server as one person may have',
    hint: 'wait until some of them are answered, then try again',
    status: 429,
  },
  tooManyStreams: {
    code: 'gateway.too-many-streams',
    says: 'you have {limit} open streams, which is as many as one person may have',
    hint: 'close one that you do not need, then try again',
    status: 429,
  },
  streamsFull: {
    code: 'gateway.streams-full',
    says: 'castellan has as many open streams as it can hold',
    hint: 'try again in a few seconds',
    status: 503,
  },
  stopping: {
    code: 'gateway.stopping',
    says: 'castellan is being stopped',
    hint: 'connect again in a moment',
    status: 503,
  },
  cancelled: {
    code: 'gateway.cancelled',
    says: 'this call was cancelled, and its server did not end it',
    hint: 'the call may have had an effect: check before you repeat it',
    status: 409,
  },
  labelsSetBack: {
    code: 'gateway.labels-set-back',
    says: 'what your clients have met was set back while this was open, so that what it brings is not known any more',
    hint: 'ask again; a call may have had an effect: check before you repeat it',
    status: 409,
  },
  consentEnded: {
    code: 'gateway.consent-ended',
    says: 'a consent of yours that rules go by was taken back or has ended while this was open',
    hint: 'ask again; a call may have had an effect: check before you repeat it',
    status: 409,
  },
  callTooLong: {
    code: 'gateway.call-too-long',
    says: 'this call took longer than {limit} seconds in all',
    hint: 'the call may have had an effect: check before you repeat it',
    status: 504,
  },
  streamIdle: {
    code: 'gateway.stream-idle',
    says: 'nothing came over this stream, and its client asked for nothing, for {limit} seconds',
    hint: 'open it again; `Last-Event-ID` brings what was missed where the server keeps it',
    status: 408,
  },
  streamTooLong: {
    code: 'gateway.stream-too-long',
    says: 'this stream was open for {limit} seconds, which is as long as one may be',
    hint: 'open it again; `Last-Event-ID` brings what was missed where the server keeps it',
    status: 408,
  },
  pathUnknown: {
    code: 'gateway.path-unknown',
    says: 'nothing is served at this path',
    hint: 'the address of a server is `/servers/<name>/mcp`; `castellan connect` prints it',
    status: 404,
  },
  tokenMissing: {
    code: 'gateway.token-missing',
    says: 'this server asks for an access token',
    hint: 'mint one with `castellan connect` and send it as `Authorization: Bearer …`',
    status: 401,
  },
  tokenMalformed: {
    code: 'gateway.token-malformed',
    says: 'the header `Authorization` is not one access token',
    hint: 'send `Authorization: Bearer` and one token, once',
    status: 400,
  },
  tokenInAddress: {
    code: 'gateway.token-in-address',
    says: 'an access token is not taken from an address, where logs and histories keep it',
    hint: 'send it as `Authorization: Bearer …`, and end this token: others may have seen it',
    status: 400,
  },
  scopeMissing: {
    code: 'gateway.scope-missing',
    says: 'this access token was not granted what MCP needs',
    hint: 'ask for the scope `mcp` and come back with the new token',
    status: 403,
  },
  bodyTooLarge: {
    code: 'gateway.body-too-large',
    says: 'the request body is over the limit of {limit} bytes',
    hint: 'send a smaller request',
    status: 413,
  },
  bodyIncomplete: {
    code: 'gateway.body-incomplete',
    says: 'the request body ended early',
    hint: 'send the request again',
    status: 400,
  },
  messageRefused: {
    code: 'gateway.message-refused',
    says: 'the request is not a valid MCP message: {problem}',
    hint: 'see the MCP specification of the revision that your client speaks',
    status: 400,
  },
  methodUnknown: {
    code: 'gateway.method-unknown',
    says: 'method {method} is not served here',
    hint: 'castellan forwards only methods that a policy can judge',
    status: 404,
  },
  sessionUnknown: {
    code: 'gateway.session-unknown',
    says: 'no such session',
    hint: 'initialize again without the session header',
    status: 404,
  },
  taskUnknown: {
    code: 'gateway.task-unknown',
    says: 'there is no such task',
    hint: 'a task is known to the person it was made for, under the id that its call returned',
    status: 404,
  },
  stateUnknown: {
    code: 'gateway.state-unknown',
    says: '`requestState` is not one that was given out for this request',
    hint: 'send the request again without it, as the person and at the address of the first time',
    status: 400,
  },
  eventUnknown: {
    code: 'gateway.event-unknown',
    says: 'no such position in a stream',
    hint: 'open the stream again without the `Last-Event-ID` header',
    status: 400,
  },
  serverUnknown: {
    code: 'gateway.server-unknown',
    says: 'there is no server {server} that you may use',
    hint: 'ask your administrator which servers your roles grant',
    status: 404,
  },
  notGranted: {
    code: 'gateway.not-granted',
    says: 'there is no {kind} {name} that you may use on {server}',
    hint: 'ask your administrator for a role that grants it, or to approve it',
    status: 403,
  },
  toolNotApproved: {
    code: 'gateway.tool-not-approved',
    says: 'there is no {kind} {name} that you may use on {server}',
    hint: 'ask your administrator for a role that grants it, or to approve it',
    status: 403,
  },
  toolChanged: {
    code: 'gateway.tool-changed',
    says: 'there is no {kind} {name} that you may use on {server}',
    hint: 'ask your administrator for a role that grants it, or to approve it',
    status: 403,
  },
  toolNameless: {
    code: 'gateway.tool-nameless',
    says: 'tool {name} of {server} has no name of its own among those of several servers',
    hint: 'call it at the address of its server alone',
    status: 403,
  },
  listTooLarge: {
    code: 'gateway.list-too-large',
    says: 'what {server} lists does not fit into one list with that of other servers',
    hint: 'list it at the address of its server alone',
    status: 502,
  },
  ruledOut: {
    code: 'gateway.ruled-out',
    says: '{kind} {name} of {server} is forbidden here by rule {rule}',
    hint: 'ask your administrator about the rule; they find it by its name',
    status: 403,
  },
  unjudged: {
    code: 'gateway.unjudged',
    says: 'rule {rule} cannot judge these arguments of {kind} {name} of {server}',
    hint: 'give each argument the type that the definition says, under its own name alone, and whole numbers up to 9007199254740991',
    status: 403,
  },
  stepUpNeeded: {
    code: 'gateway.step-up-needed',
    says: '{kind} {name} of {server} is used only with a fresh second factor for each call',
    hint: 'open the address in a browser, look at the call, prove your factor, then make the same call again: it passes once',
    status: 403,
  },
  stepUpDeclined: {
    code: 'gateway.step-up-declined',
    says: 'this call needs its person first, who declined',
    hint: 'make the call again to be asked again',
    status: 403,
  },
  remedyNeeded: {
    code: 'gateway.remedy-needed',
    says: '{kind} {name} of {server} needs {needs} before it passes',
    hint: 'open the address, or wait until it was approved, then make the same call again: it passes once',
    status: 403,
  },
  rootsNotShared: {
    code: 'gateway.roots-not-shared',
    says: 'no role of yours lets you tell {server} about roots',
    hint: 'ask your administrator for a role with `roots:share`, or send no roots',
    status: 403,
  },
  held: {
    code: 'gateway.held',
    says: 'an administrator has stopped this: {reason}',
    hint: 'wait until the hold is lifted, or ask your administrator',
    status: 403,
  },
  ledgerUnavailable: {
    code: 'gateway.ledger-unavailable',
    says: 'castellan cannot record this request, so it was not passed on',
    hint: 'try again in a few seconds',
    status: 503,
  },
  databaseUnavailable: {
    code: 'gateway.database-unavailable',
    says: 'castellan cannot look up at this moment what is allowed, so this request was refused',
    hint: 'try again in a few seconds',
    status: 503,
  },
  callCancelled: {
    code: 'gateway.call-cancelled',
    says: 'the client ended this call before its answer',
    hint: 'the call may have had an effect: check before you repeat it',
    status: 400,
  },
  upstreamUnreachable: {
    code: 'gateway.upstream-unreachable',
    says: 'server {server} cannot be reached',
    hint: 'try again; your administrator can see why in the ledger',
    status: 502,
  },
  upstreamUnavailable: {
    code: 'gateway.upstream-unavailable',
    says: 'server {server} has failed and is not asked for a while',
    hint: 'nothing was sent to it: try again after the seconds in `Retry-After`',
    status: 503,
  },
  upstreamOverloaded: {
    code: 'gateway.upstream-overloaded',
    says: 'as many calls wait for server {server} as castellan lets wait',
    hint: 'nothing was sent to it: try again in a few seconds',
    status: 503,
  },
  upstreamBusy: {
    code: 'gateway.upstream-busy',
    says: 'server {server} has as much to do as it takes, and did not take this',
    hint: 'it was not carried out: try again after the seconds in `Retry-After`',
    status: 503,
  },
  upstreamTimeout: {
    code: 'gateway.upstream-timeout',
    says: 'server {server} did not answer in time',
    hint: 'the call may have had an effect: check before you repeat it',
    status: 504,
  },
  upstreamMisbehaved: {
    code: 'gateway.upstream-misbehaved',
    says: 'server {server} sent an answer that castellan does not pass on',
    hint: 'your administrator can see what was wrong in the ledger',
    status: 502,
  },
})

/** The answer to a message that is no MCP message. @param problem one of our own sentences, never the caller's words */
export function messageRefusal(problem: string, wire: WireAnswer): WiredRefusal {
  const { says, ...rest } = gatewayRefusals.messageRefused
  const refusal = refuse({ ...rest, says: says.replace('{problem}', () => problem) }, { detail: { problem } })
  return onTheWire(refusal, wire)
}

/** What the protocol prescribes for an answer, where it does: HTTP status, JSON-RPC code and data, `Allow` of a 405. */
export interface WireAnswer {
  readonly status: number
  readonly code: number
  readonly data?: unknown
  readonly allow?: string
  /** The text that answers in place of an error: a question to the client. */
  readonly answer?: (messageId: string | number) => string
  /** The request's id, where the message was read but did not get further. */
  readonly messageId?: string | number
}

/** A refusal whose answer the protocol prescribes. */
export interface WiredRefusal extends Refusal {
  readonly wire: WireAnswer
}

export function onTheWire(refusal: Refusal, wire: WireAnswer): WiredRefusal {
  return { ...refusal, wire }
}

/** The answer to params that cannot be judged. SPEC: 2026-07-28 answers what is malformed with a status of its own. */
export function badParams(era: Era, problem: string): Refusal {
  return messageRefusal(problem, { status: era === 'modern' ? 400 : 200, code: errorCodes.invalidParams })
}
