/** The matrix against a running gateway, over HTTP, in every way in which a client may come. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningCastellan, runCastellan } from '../../test/world/running-castellan.ts'
import { createRandom } from '../fuzz/random.ts'
import { type FuzzedUpstream, startFuzzedUpstream } from '../fuzz/fuzzed-upstream.ts'
import { badKinds } from './bad.ts'
import { goodKinds } from './good.ts'
import { endScene, type Scene, sceneIssuers, setScene, signed } from './scene.ts'
import { type Heard, metadataOf, send, type Surface, surfaces } from './send.ts'

export interface JudgedOverHttp {
  readonly wrong: readonly string[]
  readonly sent: number
  readonly refused: number
  /** Tokens that no header can hold. */
  readonly unsendable: number
  readonly accepted: number
  readonly statuses: Readonly<Record<string, number>>
  /** Requests that reached the server behind the gateway because of a bad token. */
  readonly reached: number
  /** Requests that the issuers had, and the seconds it all took. */
  readonly fetches: number
  readonly seconds: number
  readonly strayFetches: number
  /** What ended tokens that were good, and whether it did. */
  readonly ends: Readonly<Record<string, boolean>>
}

interface Stage {
  readonly scene: Scene
  readonly castellan: RunningCastellan
  readonly upstream: FuzzedUpstream
  readonly configPath: string
  end(): Promise<void>
}

const fewestStatuses = [400, 401, 431]

/** JSON is YAML. */
function configText(issuers: readonly unknown[]): string {
  return `${JSON.stringify({ identity: { issuers } }, null, 2)}\n`
}

async function setStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-matrix-'))
  const configPath = join(folder, 'castellan.yaml')
  const early = await setScene('', () => Math.floor(Date.now() / 1_000))
  writeFileSync(configPath, configText(sceneIssuers(early)), { mode: 0o600 })
  const upstream = await startFuzzedUpstream(createRandom(1))
  const castellan = await runCastellan({ CASTELLAN_CONFIG: configPath })
  await castellan.addUpstream('books', upstream.url)
  const scene = { ...early, resource: `${castellan.gatewayUrl}/servers/books/mcp` }
  return {
    scene,
    castellan,
    upstream,
    configPath,
    async end() {
      endScene(early)
      upstream.close()
      await castellan.end()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Why this is not how a bad token has to be answered; undefined when it is. */
function faultIn(heard: Heard, gatewayUrl: string, surface: Surface): string | undefined {
  if (!fewestStatuses.includes(heard.status)) return `status ${heard.status}`
  if (heard.status === 431) return undefined
  if (!heard.challenge.includes(`resource_metadata="${metadataOf(gatewayUrl, surface)}"`)) return 'no metadata'
  if (!heard.challenge.includes('scope="mcp"')) return 'no scope'
  return heard.body.includes('eyJ') || heard.body.includes('node:') ? 'tells too much' : undefined
}

async function presentBad({ scene, castellan: { gatewayUrl } }: Stage) {
  const wrong: string[] = []
  const statuses: Record<string, number> = {}
  let [sent, refused, unsendable] = [0, 0, 0]
  for (const { name, make, isFor } of badKinds) {
    const token = make(scene)
    const all = await Promise.all(surfaces.map((surface) => send(gatewayUrl, surface, token)))
    for (const [at, heard] of all.entries()) {
      const surface = surfaces[at]
      if (surface === undefined || surface.path === isFor) continue
      if (heard === undefined) unsendable += 1
      else {
        sent += 1
        statuses[heard.status] = (statuses[heard.status] ?? 0) + 1
        const fault = faultIn(heard, gatewayUrl, surface)
        if (fault === undefined) refused += 1
        else wrong.push(`${name} by ${surface.name}: ${fault}`)
      }
    }
  }
  return { wrong, statuses, sent, refused, unsendable }
}

async function presentGood({ scene, castellan: { gatewayUrl, adminUrl } }: Stage) {
  const wrong: string[] = []
  let accepted = 0
  for (const { name, make, hasNoRole = false } of goodKinds) {
    const token = make(scene)
    // WHY: who has no role is told what everybody is told of a server that is not there.
    const [status, part] = hasNoRole ? [404, 'gateway.server-unknown'] : [200, '"result"']
    for (const surface of surfaces.slice(0, 2)) {
      const heard = await send(gatewayUrl, surface, token)
      if (heard?.status === status && heard.body.includes(part)) accepted += 1
      else wrong.push(`${name} by ${surface.name}: ${heard?.status} ${heard?.body}`)
    }
    const elsewhere = await send(gatewayUrl, { ...surfaces[0], path: '/mcp' } as Surface, token)
    if (elsewhere?.status !== 401) wrong.push(`${name} at another address: ${elsewhere?.status}`)
    const admin = await fetch(`${adminUrl}/api/v1/people`, { headers: { authorization: `Bearer ${token}` } })
    if (admin.status !== 401) wrong.push(`${name} at the control API: ${admin.status}`)
  }
  return { wrong, accepted }
}

/** What ends a token that was good a moment before. */
async function endAll({ scene, castellan, configPath }: Stage): Promise<Record<string, boolean>> {
  const { gatewayUrl, ana } = castellan
  const status = async (token: string) => (await send(gatewayUrl, surfaces[0] as Surface, token))?.status ?? 0
  const ends: Record<string, boolean> = {}
  const isEnded = async (what: string, token: string, end: () => Promise<unknown>, expected = 401) => {
    const before = await status(token)
    await end()
    ends[what] = before === 200 && (await status(token)) === expected
  }
  const idOf = async (shown: string) => {
    const { body } = await ana.api('GET', '/people')
    return (body['items'] as { id: string; displayName: string }[]).find((one) => one.displayName === shown)?.id ?? ''
  }
  const of = (sub: string, more: Record<string, unknown> = {}) => signed(scene, { claims: { sub, name: sub, ...more } })
  const [held, suspended, changed, removed] = ['held', 'suspended', 'changed', 'removed'].map((sub) => of(sub)) as [
    string,
    string,
    string,
    string,
  ]
  await status(held)
  await status(suspended)
  await isEnded('suspension', suspended, async () => ana.api('POST', `/people/${await idOf('suspended')}/suspend`, {}))
  const hold = { kind: 'person', subject: await idOf('held'), reason: 'the proof' }
  await isEnded('a hold', held, () => ana.api('POST', '/holds', hold), 403)
  const newer = of('changed', { iat: scene.now() + 5, groups: [] })
  await isEnded('a newer token with other groups', changed, () => status(newer))
  await isEnded('a reload without its issuer', removed, async () => {
    writeFileSync(configPath, configText([]))
    await ana.api('POST', '/config/reload', {})
  })
  return ends
}

export async function judgeOverHttp(): Promise<JudgedOverHttp> {
  const stage = await setStage()
  const { scene, upstream } = stage
  try {
    const startedAt = performance.now()
    const before = upstream.arrivals()
    const bad = await presentBad(stage)
    const reached = upstream.arrivals() - before
    const good = await presentGood(stage)
    const askedOf = [scene.first, scene.second].map(({ asked }) => asked.keys)
    const strayFetches =
      scene.first.strays.length + scene.second.strays.length + scene.stranger.asked.keys + scene.stranger.strays.length
    const seconds = Math.round((performance.now() - startedAt) / 1_000)
    const ends = await endAll(stage)
    const wrong = [...bad.wrong, ...good.wrong]
    const fetches = askedOf.reduce((sum, one) => sum + one, 0)
    return { ...bad, wrong, accepted: good.accepted, reached, fetches, seconds, strayFetches, ends }
  } finally {
    await stage.end()
  }
}
