/**
 * What does a client ask for? Who it is, what it wants and for how long, in words, with what speaks for care.
 * Stops: consent to a name alone: where the answer goes and how the client came to be known stand beside it.
 * Trusts: the authorization server for everything but the name, which the client chose.
 * Fails: a scope or resource without words of its own is shown as it is.
 * @see ASVS 10.7.2; MCP 2026-07-28, authorization: consent shows the redirect host, warns of loopback alone
 */
import { hash } from 'node:crypto'
import type { AskingClient } from '../oauth/interactions.ts'
import { adminScope } from '../oauth/resources.ts'
import { html, type Html } from './html.ts'
import { duration, foreignName } from './words.ts'

/** What is asked for, in a browser or by a device. */
export interface Asked {
  readonly client: AskingClient
  readonly scopes: readonly string[]
  readonly resource: string | undefined
  /** How long it may at most, where that is not the longest life of a grant. */
  readonly lifeMs?: number | undefined
}

export interface AskedPlaces {
  readonly publicUrl: string
  /** How long a grant lasts at most. */
  readonly grantDays: number
}

const dayMs = 86_400_000

const scopeWords: Readonly<Record<string, string>> = {
  mcp: 'call tools, read resources and use prompts in your name, as far as your own roles allow',
  offline_access: 'go on while you are not there, without asking you again',
  openid: 'learn who you are here',
  'castellan:admin': 'administer this Castellan in your name, as far as your own roles allow',
  scim: 'add, change and remove people and groups',
}

/** What a resource is called: a server, a bundle, all servers. */
export function resourceWords(resource: string | undefined, publicUrl: string, scopes: readonly string[] = []): Html {
  if (resource === undefined) return html`no server in particular`
  if (scopes.includes(adminScope)) return html`<strong>this Castellan itself</strong>`
  const path = resource.startsWith(`${publicUrl}/`) ? resource.slice(publicUrl.length) : undefined
  const [, kind, name] = /^\/(servers|bundles)\/([^/]+)\/mcp$/.exec(path ?? '') ?? []
  if (path === '/mcp') return html`all servers that you may use`
  if (kind === undefined) return html`<code>${resource}</code>`
  return html`the ${kind === 'servers' ? 'server' : 'bundle'} <strong>${name}</strong>`
}

function origin({ registeredBy, id, uri }: AskingClient): Html {
  if (registeredBy === 'administrator') return html`added by an administrator`
  if (registeredBy === 'built-in') return html`the program <code>castellan</code>, which is part of this Castellan`
  if (registeredBy === 'metadata-document')
    return html`described at <code>${foreignName(id)}</code>, which whoever owns that address wrote`
  return html`registered by itself${uri !== undefined && html`, and says it is from <code>${foreignName(uri)}</code>`}`
}

function warnings({ isLoopbackOnly, registeredBy, redirectSource }: AskingClient): Html[] {
  const isDevice = redirectSource === undefined
  return [
    ...(isDevice
      ? [
          html`Whoever shows this code will act in your name. Deny if somebody <strong>sent you the code</strong> or
            asked you to type it.`,
        ]
      : []),
    ...(isLoopbackOnly && !isDevice
      ? [
          html`It runs on your own computer, where any program can take this name. Allow it only if
            <strong>you have just started it yourself</strong>.`,
        ]
      : []),
    ...(registeredBy === 'registration'
      ? [html`It registered itself and <strong>nobody has checked who is behind it</strong>: its name can be anything.`]
      : []),
  ]
}

/** The facts that a person decides by. */
export function askedFacts(asked: Asked, places: AskedPlaces): Html {
  const { client, scopes, resource } = asked
  const careful = warnings(client)
  return html`<dl class="facts">
      <dt>Who</dt>
      <dd><strong>${foreignName(client.name)}</strong>, ${origin(client)}</dd>
      ${
        client.redirectHost !== '' &&
        html`<dt>Answer goes to</dt>
          <dd><code>${foreignName(client.redirectHost)}</code></dd>`
      }
      <dt>Where</dt>
      <dd>${resourceWords(resource, places.publicUrl, scopes)}</dd>
      <dt>To do what</dt>
      <dd>
        <ul>
          ${scopes.map((scope) => html`<li>${scopeWords[scope] ?? html`<code>${scope}</code>`}</li>`)}
        </ul>
      </dd>
      <dt>How long</dt>
      <dd>
        At most ${duration(asked.lifeMs ?? places.grantDays * dayMs)}, or until you take it back on your account page
      </dd>
    </dl>
    ${
      careful.length > 0 &&
      html`<div class="caution" role="note">
        <h2>Be careful</h2>
        ${careful.map((warning) => html`<p>${warning}</p>`)}
      </div>`
    }`
}

/** Stands for what was shown, so that a yes is a yes to exactly that. */
export function fingerprintOf({ client, scopes, resource }: Asked): string {
  return hash('sha256', JSON.stringify([client, scopes, resource ?? null]), 'base64url')
}
