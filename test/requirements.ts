/** How a requirement is met that no control of `controls.ts` names: a test by its file and title, or a stated reason. */
export type Shown = { readonly test: string; readonly title: string } | { readonly reason: string }

const identity = (test: string, title: string): Shown => ({ test: `src/identity/${test}.test.ts`, title })
const because = (reason: string): Shown => ({ reason })
const password = (title: string): Shown => identity('methods/password/rules', title)

/** Chapters V6, V7, V9 and V10 of ASVS 5.0.0: how many requirements each section has. */
export const sections = {
  '6.1': 3,
  '6.2': 12,
  '6.3': 8,
  '6.4': 6,
  '6.5': 8,
  '6.6': 4,
  '6.7': 2,
  '6.8': 4,
  '7.1': 3,
  '7.2': 4,
  '7.3': 2,
  '7.4': 5,
  '7.5': 3,
  '7.6': 2,
  '9.1': 3,
  '9.2': 4,
  '10.1': 2,
  '10.2': 3,
  '10.3': 5,
  '10.4': 16,
  '10.5': 5,
  '10.6': 2,
  '10.7': 3,
} as const

/** Requirements of these chapters that are the source of no control. */
export const requirements: Readonly<Record<string, Shown>> = {
  '6.1.2': password('the names of the person and the product alone are refused'),
  '6.1.3': because(
    'the ways in are the methods and mounts that `create-identity.ts` lists; a page that compares them is not written',
  ),
  '6.2.1': password('eight characters are enough with a second factor, seven are not'),
  '6.2.2': identity('people/own-credentials', 'changes the password with the present one and a code'),
  '6.2.3': identity('people/own-credentials', 'changes nothing with a wrong password'),
  '6.2.4': password('the shipped list holds at least three thousand passwords that are long enough'),
  '6.2.5': password('any composition will do'),
  '6.2.6': because('password fields of the pages are of the type `password`'),
  '6.2.7': because('no script looks at the fields of a form, and each says by `autocomplete` what belongs in it'),
  '6.2.8': identity('methods/argon2id', 'texts are compared exactly as typed, without Unicode normalisation'),
  '6.2.9': password('256 characters are accepted'),
  '6.2.10': because('nothing makes a password expire'),
  '6.2.11': password('the names of the person and the product alone are refused'),
  '6.2.12': password('a common password in other letters, with signs around it or twice is still one'),
  '6.3.6': because('no mail is sent, and no factor is one that mail could be'),
  '6.4.2': because('there are no hints and no questions'),
  '6.4.5': because('no factor ends by its age, so there is nothing to renew'),
  '6.5.2': identity(
    'methods/recovery-code/recovery-code',
    'there are ten different codes of 80 bits, kept as hashes with one salt',
  ),
  '6.5.3': because('secrets and codes are made by `randomBytes` of node:crypto alone'),
  '6.5.4': identity('methods/recovery-code/recovery-code', 'there are ten different codes of 80 bits'),
  '6.5.5': identity('methods/totp/totp', 'a code matches in its step, one before and one after, and not beyond'),
  '6.5.7': because('what unlocks a passkey stays on its device, and counts only together with the key on it'),
  '6.5.8': because('codes are judged by the clock that is passed in, which is that of the server'),
  '6.6.1': because('no code is sent by telephone or text message'),
  '6.6.2': identity('oauth/other-grants', 'gets its tokens once its person has typed the code and said yes'),
  '6.6.4': because('nobody is asked by a push notification'),
  '6.7.1': because('attestation of authenticators is not asked for, so there is no trust anchor to keep'),
  '6.8.3': because('SAML is not spoken'),
  '7.1.1': because('`identity.sessionHours` and `identity.sessionIdleMinutes` are documented with the configuration'),
  '7.1.3': because('`docs/sign-in-at-providers.md` says what a session has to do with the one at the provider'),
  '7.2.1': identity('credentials/sessions', 'carries the roles of the moment'),
  '7.2.2': identity('credentials/sessions', 'is not what cannot be one'),
  '7.2.3': identity('credentials/access-tokens', 'works for its resource, with or without the last slash'),
  '7.4.4': identity('pages/in-browser', 'every page does its work without JavaScript'),
  '7.4.5': identity('people/people', 'who is suspended loses sessions, tokens and the invitations they made'),
  '7.5.2': identity('pages/in-browser', 'what is ended on the account page is ended, and said to be'),
  '7.5.3': because(
    'a fresh factor is asked for changes of factors; that every administrative change asks for one is not claimed',
  ),
  '7.6.1': because(
    '`docs/sign-in-at-providers.md` says how long a session lasts after a sign-in elsewhere, and what ends it',
  ),
  '10.4.9': identity('pages/in-browser', 'what is ended on the account page is ended, and said to be'),
  '10.4.10': identity('oauth/token-life', 'a client inspects and revokes its own tokens only'),
  '10.4.12': because('clients choose among the response modes of the code flow; none puts a token into an address'),
  '10.4.13': because('pushed requests are taken and not demanded: no MCP client in use sends them'),
  '10.4.14': because('tokens bound to a key are given and not demanded: few MCP clients can'),
  '10.4.15': because('`authorization_details` are not taken'),
  '10.4.16': because('`private_key_jwt` is taken and not demanded: most MCP clients are public'),
  '10.6.1': identity('oauth/authorization-server', 'the metadata documents name the issuer, S256 and codes only'),
  '10.7.3': identity('pages/in-browser', 'what is ended on the account page is ended, and said to be'),
}
