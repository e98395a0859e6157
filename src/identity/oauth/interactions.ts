/**
 * What does the person have to do before an OAuth client gets a code? Sign in, and say yes to this client.
 * Stops: a client that was consented to by somebody else, for other scopes or for another resource.
 * Trusts: the authorization server's own record of the request, found by a cookie of this browser.
 * Fails: a request that is not known in this browser is undefined; nothing is granted.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Principal, Refusal } from '#kernel'

/** How a client came to be known. */
export type RegisteredBy = 'administrator' | 'built-in' | 'metadata-document' | 'registration'

/** Who asks, as a person is told. */
export interface AskingClient {
  readonly id: string
  readonly name: string
  readonly uri?: string
  /** Host and port that the answer goes to. */
  readonly redirectHost: string
  /**
   * The redirect URI's origin, or its scheme with a colon where it has none (`cursor:`): what a page's `form-action` must
   * allow, because browsers follow a form's redirects by it. Undefined for devices.
   */
  readonly redirectSource: string | undefined
  readonly isLoopbackOnly: boolean
  readonly registeredBy: RegisteredBy
}

/** A request for authorization that waits for its person. */
export interface Interaction {
  readonly uid: string
  readonly client: AskingClient
  readonly scopes: readonly string[]
  readonly resource: string | undefined
}

/** What the consent page (`/consent/<uid>`) needs. */
export interface Interactions {
  /** The request of this browser for this address (`/consent/<uid>`); undefined when there is none, or it has expired. */
  find(req: IncomingMessage, res: ServerResponse): Promise<Interaction | undefined>
  /**
   * The person said yes; signs in and consents in one step; answers with the redirect.
   * @returns false, with nothing answered and nothing granted, when the request was not there any more
   */
  consented(req: IncomingMessage, res: ServerResponse, principal: Principal): Promise<boolean>
  /** The person said no; answers with the redirect that tells the client. @returns as `consented` */
  refused(req: IncomingMessage, res: ServerResponse): Promise<boolean>
}

/** A device that waits for its person. */
export interface WaitingDevice {
  readonly userCode: string
  readonly client: AskingClient
  readonly scopes: readonly string[]
  readonly resource: string | undefined
  /** When it asked, in wall-clock milliseconds, and the address it asked from. */
  readonly askedAt: number
  readonly askedFrom: string
  /** What it says it is. */
  readonly agent: string
  /** It is a terminal that wants to administer: how long it may at most. */
  readonly lifeMs?: number | undefined
}

/** What the device page (`/device`) needs; codes as typed: case, spaces and hyphens do not matter. */
export interface Devices {
  /**
   * The device that shows this code; undefined when there is none, it has expired or is decided.
   * @param principal who is asked: a terminal is signed out at the latest with whoever approved it
   */
  find(userCode: string, principal: Principal): Promise<WaitingDevice | undefined>
  /** @returns false when it was not there any more; a refusal when this session may not approve it */
  approve(userCode: string, principal: Principal): Promise<boolean | Refusal>
  deny(userCode: string, principal: Principal): Promise<boolean>
}
