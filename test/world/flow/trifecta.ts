import { readFileSync } from 'node:fs'
import type { Classification } from '#kernel'
import type { World, WorldOptions } from '../castellan.ts'
import { startWorld } from '../castellan.ts'
import type { Answer, Person } from '../people.ts'
import { putBehind } from '../servers/peers.ts'
import {
  listOf,
  type Question,
  type Reply,
  saying,
  startTellingServer,
  type TellingServer,
  toolNamed,
} from '../servers/telling-server.ts'
import { publishPolicy } from '../step-up/approvals.ts'

/** What must never reach a way out. */
export const canary = 'CANARY-4111-1111-Anna-Miller'

const page = readFileSync(new URL('../../../docs/information-flow.md', import.meta.url), 'utf8')
const [closed = '', approvable = ''] = page
  .split('```cedar\n')
  .slice(1)
  .map((rest) => rest.split('```')[0])

/** The rules as the page has them: whoever holds restricted data and has met what strangers wrote sends nothing out. */
export const thirdLeg = closed

/** The same where one of the role `lead` can approve a call. */
export const approvableThirdLeg = approvable

const plain: Classification = {
  effect: 'read',
  sensitivity: 'internal',
  dataClasses: [],
  owner: '',
  bringsUntrusted: false,
  isOutlet: false,
}

/** What an administrator says of the servers of this world. */
export const classified = {
  crm: { ...plain, sensitivity: 'restricted', dataClasses: ['personal'] },
  web: { ...plain, sensitivity: 'public', bringsUntrusted: true, isOutlet: true },
  sink: { ...plain, effect: 'write', isOutlet: true },
  wiki: { ...plain, effect: 'write' },
} as const satisfies Record<string, Classification>

export type Name = keyof typeof classified

export interface Trifecta {
  readonly world: World
  readonly servers: Readonly<Record<Name, TellingServer>>
  readonly ben: Person
  /** May approve. */
  readonly lea: Person
  /** What the page that `web` fetches says. */
  readonly page: { text: string }
  /** Every byte of what the attacker's server and the web were asked, readings of it included. */
  leaked(): string[]
}

const tools: Record<Name, string> = { crm: 'customer', web: 'fetch', sink: 'post', wiki: 'save' }

function reply(name: Name, page: { readonly text: string }): (asked: Question) => Reply | undefined {
  const text = { crm: () => canary, web: () => page.text, sink: () => 'thanks', wiki: () => 'saved' }[name]
  return ({ method, params }) => {
    if (method === 'tools/list') return listOf('tools', [toolNamed(tools[name])])
    if (method === 'resources/list') return listOf('resources', [{ uri: `${name}://all`, name: text() }])
    if (method === 'resources/read') return listOf('contents', [{ uri: params['uri'], text: text() }])
    if (method === 'prompts/list') return listOf('prompts', [{ name: 'brief' }])
    if (method === 'prompts/get') {
      return listOf('messages', [{ role: 'user', content: { type: 'text', text: text() } }])
    }
    if (method === 'tools/call') return saying(text())
    return undefined
  }
}

async function must(answer: Promise<Answer>): Promise<void> {
  const { status, body } = await answer
  if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`)
}

/** The canary as an agent could write it. */
const readings = [canary, Buffer.from(canary).toString('base64'), Buffer.from(canary).toString('hex')]

export interface TrifectaOptions extends WorldOptions {
  readonly policy?: string
  /** What the attacker's server answers, where it is not what the others would. */
  readonly reply?: (asked: Question) => Reply | undefined
}

/** Four servers behind Castellan, classified; the rule above; Ben, who may use all of them. */
export async function startTrifecta(options: TrifectaOptions = {}): Promise<Trifecta> {
  const { policy = thirdLeg, reply: sinkReply, ...rest } = options
  const world = await startWorld(rest)
  const { ana } = world
  const shown = { text: 'nothing here' }
  const add = async (name: Name): Promise<TellingServer> => {
    const server = await startTellingServer(
      (asked) => (name === 'sink' ? sinkReply?.(asked) : undefined) ?? reply(name, shown)(asked),
    )
    await putBehind(ana, name, { url: server.url })
    await must(ana.api('PUT', `/upstreams/${name}/classification`, classified[name]))
    const asked = { tools: [tools[name]], classification: classified[name] }
    await must(ana.api('POST', `/upstreams/${name}/tools/classify`, asked))
    return server
  }
  const servers = { crm: await add('crm'), web: await add('web'), sink: await add('sink'), wiki: await add('wiki') }
  const resources = Object.keys(classified).flatMap((name) => [name, `${name}/*`])
  const permissions = ['servers:use', 'tools:call', 'resources:read', 'prompts:get']
  await must(ana.api('PUT', '/roles/clerk', { grants: [{ permissions, resources }] }))
  const approves = [{ permissions: ['approvals:write', 'roles:write'], resources: ['castellan'] }]
  await must(ana.api('PUT', '/roles/lead', { grants: approves }))
  await publishPolicy(ana, policy)
  const [ben, lea] = [await world.join('ben', ['clerk']), await world.join('lea', ['lead'])]
  return {
    world,
    servers,
    ben,
    lea,
    page: shown,
    leaked() {
      const seen = JSON.stringify([servers.sink.asked, servers.web.asked])
      return readings.filter((reading) => seen.includes(reading))
    },
  }
}
