/** Challenges for authenticators: to sign in, to prove oneself once more, and for a new passkey. */
import { createAuthenticator, type Authenticator } from '../../../test/world/keys/authenticator.ts'
import { addPasskey, askSignIn, type AskedOfBrowser } from '../../../test/world/keys/use-passkeys.ts'
import { hiddenFields, type PageClient } from '../../../test/world/pages/page-client.ts'
import type { Answered } from '../nodes.ts'
import type { Kind } from '../race.ts'
import { hasSession, headersOf, type Stage } from '../stage.ts'

const addPath = '/account/passkeys/add'
const createPath = '/account/passkeys/create'
const proofPath = '/account/passkeys/proof'

interface Owner {
  readonly browser: PageClient
  /** Does not count its signatures: a counter would refuse the second answer, too. */
  readonly key: Authenticator
}

async function withPasskey(stage: Stage, name: string): Promise<Owner> {
  const { gatewayUrl } = stage
  const person = await stage.join(name)
  const browser = await stage.browserOf(person)
  const key = createAuthenticator('ES256', false)
  const code = await stage.freshCode(person)
  const added = await addPasskey(browser, { ...person, nextCode: () => code }, key, gatewayUrl)
  if (added.headers.location?.includes('passkey-added') !== true) throw new Error(`no passkey: ${added.status}`)
  return { browser, key }
}

function signIn(stage: Stage, { browser, key }: Owner): Kind {
  const { nodes, gatewayUrl } = stage
  const path = '/sign-in/passkey'
  browser.cookies.clear()
  return {
    name: 'passkey challenge, sign-in',
    weight: 12,
    isWon: hasSession,
    clear: stage.clearThrottle,
    async prepare() {
      await stage.clearThrottle()
      const { state, options } = await askSignIn(browser)
      const form = await browser.tokenOf('/sign-in', path)
      const headers = headersOf(browser, gatewayUrl)
      const fields = { form, state, answer: JSON.stringify(key.assert(options, { origin: gatewayUrl })) }
      return { send: (node) => nodes.post(node, { path, fields, headers }) }
    },
  }
}

function optionsOf(page: string): unknown {
  const given = /data-options="([^"]*)"/.exec(page)?.[1] ?? '{}'
  return JSON.parse(given.replaceAll('&quot;', '"').replaceAll('&amp;', '&'))
}

/** The form that proves with a passkey what has to be proved before a new one. */
async function proofFields({ browser, key }: Owner, gatewayUrl: string): Promise<Record<string, string>> {
  const { state, options } = JSON.parse((await browser.request(proofPath)).text) as AskedOfBrowser
  const form = await browser.tokenOf(addPath, addPath)
  return { form, state, answer: JSON.stringify(key.assert(options, { origin: gatewayUrl })) }
}

function proof({ nodes, gatewayUrl }: Stage, owner: Owner): Kind {
  return {
    name: 'passkey challenge, fresh proof',
    weight: 7,
    isWon: ({ status, text }: Answered) => status === 200 && text.includes('data-options='),
    async prepare() {
      const fields = await proofFields(owner, gatewayUrl)
      const headers = headersOf(owner.browser, gatewayUrl)
      return { send: (node) => nodes.post(node, { path: addPath, fields, headers }) }
    },
  }
}

/** Each request comes with another authenticator, so that only the challenge is in the way of the second. */
function registration({ nodes, gatewayUrl, database }: Stage, owner: Owner): Kind {
  const { browser, key } = owner
  return {
    name: 'passkey challenge, registration',
    weight: 6,
    isWon: ({ location }) => location.includes('passkey-added'),
    async prepare() {
      await database.query.deleteFrom('passkeys').where('name', '=', 'raced').execute()
      const fields = await proofFields({ browser, key }, gatewayUrl)
      const { text } = await browser.request(addPath, { fields })
      const hidden = hiddenFields(text, createPath)
      const headers = headersOf(browser, gatewayUrl)
      return {
        send(node) {
          const answer = createAuthenticator('ES256', false).register(optionsOf(text), { origin: gatewayUrl })
          const form = { ...hidden, answer: JSON.stringify(answer), passkey: 'raced' }
          return nodes.post(node, { path: createPath, fields: form, headers })
        },
      }
    },
  }
}

export async function passkeyKinds(stage: Stage): Promise<readonly Kind[]> {
  const owner = await withPasskey(stage, 'rex')
  return [signIn(stage, await withPasskey(stage, 'pia')), proof(stage, owner), registration(stage, owner)]
}
