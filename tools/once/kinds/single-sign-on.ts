/** Sign-in at a provider: the sealed attempt that its answer uses up, and the logout that it tells once. */
import { createPageClient } from '../../../test/world/pages/page-client.ts'
import { clientId, startSigningInProvider, type SigningInProvider } from '../provider.ts'
import type { Kind } from '../race.ts'
import { hasSession, headersOf, type Stage } from '../stage.ts'

async function addProvider({ nodes }: Stage, name: string, provider: SigningInProvider): Promise<void> {
  const settings = { provision: 'jit', dangerouslyAllowPlainHttp: true }
  const asked = { name, issuer: provider.issuer, clientId, clientSecret: 'a-secret-of-a-client', settings }
  const { status, body } = await nodes.first.ana.api('POST', '/providers', asked)
  if (status !== 201) throw new Error(`the provider was not added: ${JSON.stringify(body)}`)
}

/** Begins a sign-in. @returns the provider's answer, as the path that the browser is sent to, and its cookies */
async function begin({ gatewayUrl }: Stage, name: string, provider: SigningInProvider) {
  const browser = createPageClient(gatewayUrl)
  const { headers } = await browser.request(`/sso/${name}/start`)
  const back = new URL(provider.back(headers.location ?? ''))
  return { browser, path: `${back.pathname}${back.search}` }
}

function callback(stage: Stage, provider: SigningInProvider): Kind {
  const { nodes, gatewayUrl } = stage
  return {
    name: 'sealed state of a sign-in at a provider',
    weight: 9,
    isWon: hasSession,
    async prepare() {
      const { browser, path } = await begin(stage, 'work', provider)
      const headers = headersOf(browser, gatewayUrl)
      return { send: (node) => nodes.post(node, { method: 'GET', path, headers }) }
    },
  }
}

function logout(stage: Stage, provider: SigningInProvider): Kind {
  return {
    name: 'logout token',
    weight: 7,
    isWon: ({ status }) => status === 200,
    async prepare() {
      const fields = { logout_token: await provider.logoutToken() }
      return { send: (node) => stage.nodes.post(node, { path: '/sso/work/backchannel-logout', fields }) }
    },
  }
}

export async function singleSignOnKinds(stage: Stage): Promise<{ kinds: readonly Kind[]; close(): void }> {
  const provider = await startSigningInProvider(['mfa'])
  await addProvider(stage, 'work', provider)
  return { kinds: [callback(stage, provider), logout(stage, provider)], close: provider.close }
}
