/**
 * What was just done? Told after the redirect that follows a form, by a word of a fixed list.
 * Stops: an address from putting its own text on the page. Trusts nothing. Fails by saying nothing.
 */
const words: Readonly<Record<string, string>> = {
  'session-ended': 'The session has ended.',
  'sessions-ended': 'All other sessions have ended.',
  'client-ended': 'The client can act for you no more.',
  'token-revoked': 'The access token is worth nothing now.',
  'password-changed': 'Your password is changed; your other sessions have ended.',
  'passkey-added': 'The passkey is added. You can sign in with it from now on.',
  'passkey-renamed': 'The passkey has its new name.',
  'passkey-removed': 'The passkey is removed; your other sessions have ended.',
  'service-account-renewed': 'The service account goes on; its new end is below.',
  'service-account-stopped': 'The service account can do nothing more.',
  'consent-revoked': 'The consent is taken back.',
  'notices-read': 'Noted.',
}

/** Where to go after a form was taken. */
export function doneAddress(what: string): string {
  return `/account?${new URLSearchParams({ done: what }).toString()}`
}

export function doneWords(what: string | null): string | undefined {
  return what !== null && Object.hasOwn(words, what) ? words[what] : undefined
}
