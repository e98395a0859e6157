import type { Person } from '../people.ts'
import { hiddenFields, type PageAnswer, type PageClient } from '../pages/page-client.ts'
import type { Authenticator, Circumstances } from './authenticator.ts'

/** What a page's script is given to ask an authenticator for. */
export interface AskedOfBrowser {
  readonly state: string
  readonly options: unknown
}

/** What the button of the sign-in page asks for. */
export async function askSignIn(browser: PageClient): Promise<AskedOfBrowser> {
  return JSON.parse((await browser.request('/sign-in/passkey')).text) as AskedOfBrowser
}

/** What the form of the sign-in page sends with an answer. */
export async function signInFields(
  browser: PageClient,
  state: string,
  answer: unknown,
): Promise<Record<string, string>> {
  const form = await browser.tokenOf('/sign-in', '/sign-in/passkey')
  return { form, state, answer: JSON.stringify(answer) }
}

/** Signs in as the button of the sign-in page does. */
export async function signInWithPasskey(
  browser: PageClient,
  key: Authenticator,
  lies: Circumstances = {},
): Promise<PageAnswer> {
  const { state, options } = await askSignIn(browser)
  const fields = await signInFields(browser, state, key.assert(options, lies))
  return browser.request('/sign-in/passkey', { fields })
}

/** The page that has to be shown for a new passkey, after a proof by password and code. */
export function beginAdding(browser: PageClient, fields: { password: string; code: string }): Promise<PageAnswer> {
  return browser.submit('/account/passkeys/add', fields)
}

/** Adds a passkey on the account page, signed in by password before. */
export async function addPasskey(
  browser: PageClient,
  person: Person,
  key: Authenticator,
  origin: string,
): Promise<PageAnswer> {
  const { text } = await beginAdding(browser, { password: person.password, code: person.nextCode() })
  const given = /data-options="([^"]*)"/.exec(text)?.[1] ?? ''
  const options: unknown = JSON.parse(given.replaceAll('&quot;', '"').replaceAll('&amp;', '&'))
  const answer = JSON.stringify(key.register(options, { origin }))
  const action = '/account/passkeys/create'
  return browser.request(action, { fields: { ...hiddenFields(text, action), answer, passkey: 'laptop' } })
}
