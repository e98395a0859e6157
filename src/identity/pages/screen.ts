/**
 * What is one page, to the part that dispatches? The paths it has, who may see it, and what it answers.
 * Stops: a page that forgets to ask who is there, and a form that is read before it was tied to its browser.
 * Trusts: the dispatcher to have asked both.
 * Fails: at compile time, when a page for persons does not take one.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Principal } from '#kernel'
import type { Visit } from '../front/front.ts'
import type { Present } from './browser-session.ts'
import type { Fields } from './form.ts'
import type { Html } from './html.ts'

/** One request to a page. */
export interface Call {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly visit: Visit
  readonly query: URLSearchParams
  /** The hidden field of a form that is sent to this path, or to the one that is named. */
  formField(path?: string): Html
  /** Stands for this browser, as long as it keeps its cookies. */
  binding(): string
  /** Whoever is signed in in this browser. */
  present(): Promise<Present | undefined>
}

/** One request of a person to a page. */
export interface PersonalCall extends Call {
  readonly principal: Principal
}

interface Path {
  owns(path: string): boolean
}

/** A page for everybody. */
export interface OpenScreen extends Path {
  readonly isFor: 'everybody'
  get(call: Call): Promise<void> | void
  post?(call: Call, fields: Fields): Promise<void> | void
}

/** A page for whoever is signed in. */
export interface PersonalScreen extends Path {
  readonly isFor: 'person'
  /** Also for an administrator who has to register a passkey first. */
  readonly isForRegistering?: boolean
  get?(call: PersonalCall): Promise<void> | void
  post?(call: PersonalCall, fields: Fields): Promise<void> | void
  /** Answers a GET when nobody is signed in; leads to the sign-in page unless there is something to say before. */
  ask?(call: Call): Promise<void> | void
}

export type Screen = OpenScreen | PersonalScreen
