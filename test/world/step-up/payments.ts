import type { Answer, Person } from '../people.ts'
import { startWorld, type World, type WorldOptions } from '../castellan.ts'
import { modern } from '../messages.ts'
import { createPageClient, type PageClient } from '../pages/page-client.ts'

type Json = Record<string, unknown>

/** A world in which `echo` of `books` is called only with a fresh factor by whoever has the role `payer`. */
export interface Payments {
  readonly world: World
  readonly ben: Person
  readonly token: string
  /** Ben's browser, signed in. */
  readonly browser: PageClient
}

/** The role: everything of a reader, and a fresh factor for each call of `echo`. */
export const payer = {
  grants: [
    { permissions: ['servers:use', 'tools:call'], resources: ['books', 'books/tools/slow'] },
    {
      permissions: ['tools:call', 'resources:read', 'prompts:get'],
      resources: ['books/tools/echo', 'books/resources/*', 'books/prompts/*'],
      stepUp: true,
    },
  ],
}

export async function startPayments(options: WorldOptions = {}): Promise<Payments> {
  const world = await startWorld(options)
  const put = await world.ana.api('PUT', '/roles/payer', payer)
  if (put.status !== 200) throw new Error(JSON.stringify(put.body))
  const ben = await world.join('ben', ['payer'])
  const browser = createPageClient(world.gatewayUrl)
  await browser.signIn(ben)
  return { world, ben, token: await ben.mint('books'), browser }
}

/** A call of `echo`, of the legacy era, without a session. */
export function pay(amount: unknown, more: Json = {}): Json {
  return { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { amount }, ...more } }
}

/** The same of 2026-07-28, by a client that can send its person to an address, or not. */
export function payModern(amount: unknown, more: Json = {}, elicitation: Json = { url: {} }) {
  const sent = modern(pay(amount, more) as { method: string })
  const meta = (sent.message['params'] as Json)['_meta'] as Json
  meta['io.modelcontextprotocol/clientCapabilities'] = { elicitation }
  return sent
}

/** The address in a refusal, from its data or its question, as a path. */
export function linkIn({ body }: Pick<Answer, 'body'>): string {
  const [, path = ''] = /"url":"https?:\/\/[^/"]+(\/step-up\/[A-Za-z0-9_-]{43})"/.exec(JSON.stringify(body)) ?? []
  return path
}

/** Proves it on the page. @returns the heading of what came of it */
export async function prove(browser: PageClient, person: Person, path: string): Promise<string> {
  const fields = { password: person.password, code: person.nextCode(), 'answer-is': 'prove' }
  const { text } = await browser.submit(path, fields, path)
  return /<h1>([^<]*)<\/h1>/.exec(text)?.[1] ?? ''
}
