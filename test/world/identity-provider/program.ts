/**
 * An OpenID provider of somebody else: its own process, its own accounts, its own pages. Settings come as JSON in the
 * first argument; prints its issuer once it answers.
 */
import { readFileSync } from 'node:fs'
import { createServer as createHttp, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import Provider, { type Configuration } from 'oidc-provider'
import type { ProviderAccount, ProviderProgramSettings } from './start-identity-provider.ts'

const settings = JSON.parse(process.argv[2] ?? '') as ProviderProgramSettings
const { port, tls, client, isConforming = true } = settings
let { accounts } = settings
const issuer = `${tls === undefined ? 'http' : 'https'}://localhost:${port}`

const configuration: Configuration = {
  clients: [
    {
      client_id: client.id,
      client_secret: client.secret,
      redirect_uris: [`${client.site}/sso/${client.provider}/callback`],
      post_logout_redirect_uris: [`${client.site}/sso/${client.provider}/logged-out`],
      backchannel_logout_uri: `${client.site}/sso/${client.provider}/backchannel-logout`,
      backchannel_logout_session_required: true,
    },
  ],
  pkce: { required: () => true },
  cookies: { keys: ['the-keys-of-a-provider-in-a-test'] },
  claims: {
    openid: ['sub', 'acr', 'amr'],
    profile: ['name', 'preferred_username'],
    email: ['email', 'email_verified'],
    groups: ['groups'],
  },
  // WHY: a conforming provider tells everything but `sub` by userinfo alone.
  conformIdTokenClaims: isConforming,
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource(ctx, form) {
        ctx.body = page(
          'Sign out',
          `${form}<button type="submit" form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>`,
        )
      },
    },
  },
  // WHY: its own `fetch` refuses to tell a site on this machine.
  fetch: (url, { dispatcher: _, ...options } = {}) => fetch(url, options),
  interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
  findAccount(_ctx, id) {
    const account = accounts.find((one) => one.subject === id)
    return account && { accountId: id, claims: () => ({ sub: id, ...account.claims }) }
  },
  // WHY: it says why something failed, for whoever reads the output of a test.
  renderError(ctx, out, error) {
    process.stderr.write(`${error.message}: ${JSON.stringify(out)}\n`)
    ctx.body = page('Error', JSON.stringify(out))
  },
}

const provider = new Provider(issuer, configuration)
const answer = provider.callback()
provider.on(
  'backchannel.error',
  (_ctx, error) => void process.stderr.write(`back-channel: ${String(error)} ${String(error.cause)}\n`),
)
provider.on('server_error', (_ctx, error) => void process.stderr.write(`${String(error)}\n`))

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><title>${title} at the provider</title></head><body><h1>${title}</h1>${body}</body></html>`
}

function send(res: ServerResponse, body: string): void {
  res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
  res.end(body)
}

async function textOf(req: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of req) text += String(chunk)
  return text
}

async function replaceAccounts(req: IncomingMessage, res: ServerResponse): Promise<void> {
  accounts = JSON.parse(await textOf(req)) as ProviderAccount[]
  send(res, 'done')
}

async function fieldsOf(req: IncomingMessage): Promise<URLSearchParams> {
  return new URLSearchParams(await textOf(req))
}

function login({ acr, amr, subject }: ProviderAccount) {
  return {
    login: {
      accountId: subject,
      ...(acr === undefined ? {} : { acr }),
      ...(amr === undefined ? {} : { amr: [...amr] }),
    },
  }
}

async function consent(req: IncomingMessage, res: ServerResponse) {
  const { session, params, prompt } = await provider.interactionDetails(req, res)
  const grant = new provider.Grant({ accountId: session?.accountId ?? '', clientId: String(params['client_id']) })
  const { missingOIDCScope, missingOIDCClaims } = prompt.details as {
    missingOIDCScope?: string[]
    missingOIDCClaims?: string[]
  }
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '))
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims)
  return { consent: { grantId: await grant.save() } }
}

async function interact(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { prompt } = await provider.interactionDetails(req, res)
  const isLogin = prompt.name === 'login'
  if (req.method !== 'POST') {
    const fields = isLogin
      ? '<label>Account <input name="account"></label><label>Password <input name="password" type="password"></label>'
      : '<p>May this site know who you are?</p>'
    return send(
      res,
      page(isLogin ? 'Log in' : 'Consent', `<form method="post">${fields}<button>Continue</button></form>`),
    )
  }
  const fields = await fieldsOf(req)
  if (!isLogin)
    return provider.interactionFinished(req, res, await consent(req, res), { mergeWithLastSubmission: true })
  const account = accounts.find((one) => one.login === fields.get('account') && one.password === fields.get('password'))
  if (account === undefined) return send(res, page('Log in', '<p>wrong</p>'))
  await provider.interactionFinished(req, res, login(account))
}

const listener: RequestListener = (req, res) => {
  const isControl = req.method === 'PUT' && req.url === '/accounts-of-the-test'
  if (!isControl && !(req.url ?? '').startsWith('/interaction/')) return void answer(req, res)
  const answered = isControl ? replaceAccounts(req, res) : interact(req, res)
  answered.catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`)
    res.writeHead(500).end()
  })
}

const server =
  tls === undefined
    ? createHttp(listener)
    : createHttps({ cert: readFileSync(tls.certificatePath), key: readFileSync(tls.keyPath) }, listener)
server.listen(port, '127.0.0.1', () => process.stdout.write(`ready ${issuer}\n`))
