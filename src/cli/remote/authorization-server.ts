import { CliFailure } from '../failure.ts'
import { plaintextHost } from './admin-client.ts'

/** Where this program signs people in by their browser, as the admin listener says. */
export interface AuthorizationServer {
  /** What tokens are for: the admin listener itself. */
  readonly resource: string
  readonly deviceEndpoint: string
  readonly tokenEndpoint: string
  readonly revocationEndpoint: string
}

/** An answer to a form; `body` is empty when it was no JSON object. */
export interface FormAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export const clientId = 'castellan-cli'
export const adminScope = 'castellan:admin'

const timeoutMs = 20_000
const maxAnswerBytes = 64 * 1024

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

async function ask(url: string, fields?: Readonly<Record<string, string>>, agentName?: string): Promise<FormAnswer> {
  const { Agent, request } = await import('undici')
  const dispatcher = new Agent({ connect: { timeout: timeoutMs }, maxResponseSize: maxAnswerBytes })
  const headers = { accept: 'application/json', 'user-agent': agentName ?? clientId }
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  try {
    const answer = await request(url, {
      dispatcher,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      ...(fields === undefined
        ? { headers }
        : { method: 'POST', headers: { ...headers, ...form }, body: new URLSearchParams(fields).toString() }),
    })
    return { status: answer.statusCode, body: objectOf(await answer.body.text()) }
  } finally {
    await dispatcher.destroy()
  }
}

/** Posts a form. @throws what the connection throws */
export function postForm(url: string, fields: Readonly<Record<string, string>>, agent?: string): Promise<FormAnswer> {
  return ask(url, fields, agent)
}

export function textIn(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name]
  return typeof value === 'string' ? value : ''
}

function unusable(adminUrl: string, why: string): CliFailure {
  const message = `\`${adminUrl}\` cannot sign you in by a browser: ${why}`
  return new CliFailure('remote', 'cli.no-browser-sign-in', message, 'run `castellan login --terminal`')
}

/** The answer of a public address; an empty one when nothing answers there. */
async function read(url: string): Promise<Readonly<Record<string, unknown>>> {
  const { status, body } = await ask(url).catch(() => ({ status: 0, body: {} }))
  return status === 200 ? body : {}
}

/**
 * Asks the admin listener which server gives tokens for it.
 * INVARIANT: the listener names itself, so that no other can have the tokens of this one asked for (RFC 9728, section 3.3),
 * and every address is on the server that it names, over https or on this machine.
 * @throws CliFailure `cli.no-browser-sign-in`
 */
export async function findAuthorizationServer(adminUrl: string): Promise<AuthorizationServer> {
  const told = await read(`${adminUrl}/.well-known/oauth-protected-resource`)
  const resource = textIn(told, 'resource')
  if (resource === '') throw unusable(adminUrl, 'it does not say how')
  if (resource.replace(/\/$/, '') !== adminUrl) throw unusable(adminUrl, `it calls itself \`${resource}\``)
  const [issuer] = Array.isArray(told['authorization_servers']) ? (told['authorization_servers'] as unknown[]) : []
  if (typeof issuer !== 'string' || !URL.canParse(issuer)) throw unusable(adminUrl, 'it names no server')
  if (plaintextHost(issuer) !== undefined) throw unusable(adminUrl, `\`${issuer}\` is not encrypted`)
  const metadata = await read(new URL('/.well-known/oauth-authorization-server', issuer).href)
  if (metadata['issuer'] !== issuer) throw unusable(adminUrl, `nothing answers at \`${issuer}\``)
  const endpoint = (name: string): string => {
    const address = textIn(metadata, name)
    if (URL.canParse(address) && new URL(address).origin === new URL(issuer).origin) return address
    throw unusable(adminUrl, `\`${issuer}\` has no ${name.replaceAll('_', ' ')}`)
  }
  return {
    resource,
    deviceEndpoint: endpoint('device_authorization_endpoint'),
    tokenEndpoint: endpoint('token_endpoint'),
    revocationEndpoint: endpoint('revocation_endpoint'),
  }
}
