/**
 * What the documentation says of a question and of a role, for the proof `policy`: written from `docs/policy-language.md`
 * and `docs/policy.md`, and sharing no code with what it judges.
 */
import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs'
import type { CedarValueJson, EntityJson, JsonRequest, PolicyJson } from '../../test/world/policies/json-world.ts'
import type { Spoiled } from './naive.ts'
import { liesIn, readIp, take } from './naive-types.ts'
import type { RandomQuestion } from './random-question.ts'
import { type GrantSource, keys, type RandomSource } from './random-source.ts'

/** Minutes by which the zones of the proof are ahead of UTC. */
export const zoneMinutes = { UTC: 0, 'Asia/Kolkata': 330, 'Etc/GMT+5': -300 } as const
export type ZoneName = keyof typeof zoneMinutes

export const networks = [
  { name: 'office', addresses: ['10.0.0.0/8', '2001:db8::/32'] },
  { name: 'lab', addresses: ['192.168.0.0/16'] },
] as const

const kinds = { texts: 'Texts', numbers: 'Numbers', flags: 'Flags', lists: 'Lists' } as const
const things = { server: 'Server', tool: 'Tool', resource: 'Resource', prompt: 'Prompt' } as const
const classOf: Readonly<Record<string, string>> = {
  'servers:use': 'discover',
  'resources:read': 'read',
  'prompts:get': 'read',
  'files:read': 'read',
  'people:read': 'administer',
}
const uid = (type: string, id: string) => ({ type: `Castellan::${type}`, id })

function memberOf(holder: unknown, name: string): { readonly found?: unknown; readonly isDoubtful?: true } | undefined {
  if (Array.isArray(holder)) {
    const place = ['0', '1', '2', '3'].indexOf(name)
    return place >= 0 && place < holder.length ? { found: holder[place] } : undefined
  }
  if (typeof holder !== 'object' || holder === null) return undefined
  const all = Object.entries(holder)
  if (all.some(([other]) => other !== name && other.toLowerCase() === name.toLowerCase())) return { isDoubtful: true }
  const own = all.find(([other]) => other === name)
  return own === undefined ? undefined : { found: own[1] }
}

const isText = (value: unknown): boolean => typeof value === 'string'

function isOf(kind: keyof typeof kinds, value: unknown): boolean {
  if (kind === 'texts') return isText(value)
  if (kind === 'flags') return typeof value === 'boolean'
  if (kind === 'lists') return Array.isArray(value) && value.every(isText)
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 53
}

/** Each argument under each of the keys, in each of the four ways: a value, nothing, or what must not be read. */
function readArguments({ target, circumstances }: RandomQuestion) {
  const takesAny = target !== 'castellan' && (target.kind === 'tool' || target.kind === 'prompt')
  const given = takesAny ? circumstances.callArguments : {}
  const spoiled: Record<string, Set<string>> = {}
  const entities = Object.entries(kinds).map(([kind, type]): EntityJson => {
    const tags: Record<string, CedarValueJson> = {}
    const bad = (spoiled[JSON.stringify([`Castellan::${type}`, 'asked'])] = new Set())
    for (const key of keys) {
      let at: ReturnType<typeof memberOf> = { found: given }
      for (const step of key.split('/')) {
        at = at === undefined || at.isDoubtful ? at : memberOf(at.found, step.replace('~1', '/').replace('~0', '~'))
      }
      if (at === undefined) continue
      if (at.isDoubtful === true || !isOf(kind as keyof typeof kinds, at.found)) bad.add(key)
      else tags[key] = at.found as CedarValueJson
    }
    return { uid: uid(type, 'asked'), attrs: {}, parents: [], tags }
  })
  return { entities, spoiled }
}

function timeIn(at: number, zone: ZoneName) {
  const local = new Date(at + zoneMinutes[zone] * 60_000)
  const weekday =
    ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'][local.getUTCDay()] ?? ''
  return { date: local.toISOString().slice(0, 10), weekday, hour: local.getUTCHours(), minute: local.getUTCMinutes() }
}

function contextOf({ principal, circumstances }: RandomQuestion, zone: ZoneName): Record<string, CedarValueJson> {
  const { at, address, flow = [], consents = [], met } = circumstances
  const here = take('ip', readIp(address))
  const zones = networks.filter(({ addresses }) => addresses.some((one) => liesIn(here, take('ip', readIp(one)))))
  const { id = '', name = '', isSelfRegistered = false } = principal.client ?? {}
  const age = Math.floor((at - (principal.factorsAt ?? at)) / 1_000)
  return {
    address: { __extn: { fn: 'ip', arg: address } },
    zones: zones.map((one) => one.name),
    time: timeIn(at, zone),
    at: { __extn: { fn: 'datetime', arg: new Date(at).toISOString() } },
    factors: [...principal.factors],
    ...(principal.factorsAt === undefined ? {} : { factorAgeSeconds: age < 0 ? 0 : age }),
    client: { id, name, isSelfRegistered },
    actors: (principal.actors ?? []).map((actor) => actor.id),
    consents: [...consents],
    flow: [...flow],
    met: met === 'all' ? [] : [...(met ?? [])],
    ...Object.fromEntries(Object.entries(kinds).map(([kind, type]) => [kind, { __entity: uid(type, 'asked') }])),
  }
}

/** A question in Cedar's JSON form: the request, all entities, and the arguments that no rule may read. */
export interface PutQuestion {
  readonly request: JsonRequest
  readonly entities: readonly EntityJson[]
  readonly spoiled: Spoiled
}

export function putQuestion(question: RandomQuestion, zone: ZoneName): PutQuestion {
  const { principal, permission, target, circumstances } = question
  const { effect, sensitivity, dataClasses, owner, bringsUntrusted, isOutlet } = circumstances.classification
  const who = uid(principal.isService === true ? 'ServiceAccount' : 'Person', principal.id)
  const what = uid(target === 'castellan' ? 'AdminPlane' : things[target.kind], 'asked')
  const action = uid('Action', permission === 'tools:call' ? `tools:call/${effect}` : permission)
  const groups = permission === 'tools:call' ? ['tools:call', effect] : [classOf[permission] ?? '']
  const parents = [
    ...principal.roles.map((role) => uid('Role', role)),
    ...(principal.groups ?? []).map((group) => uid('Group', group)),
  ]
  const place =
    target === 'castellan'
      ? { upstream: 'castellan', name: '' }
      : { upstream: target.upstream, name: target.name ?? '' }
  const labels = { sensitivity, dataClasses: [...dataClasses], owner, bringsUntrusted, isOutlet }
  const claims = Object.entries(principal.claims ?? {}).map(([name, values]): [string, CedarValueJson] => [
    name,
    [...values],
  ])
  const { entities, spoiled } = readArguments(question)
  return {
    request: { principal: who, action, resource: what, context: contextOf(question, zone) },
    entities: [
      { uid: who, attrs: { id: principal.id, name: principal.name }, parents, tags: Object.fromEntries(claims) },
      { uid: what, attrs: { ...place, ...labels }, parents: [] },
      { uid: action, attrs: {}, parents: groups.map((group) => uid('Action', group)) },
      ...entities,
    ],
    spoiled,
  }
}

function permits({ permissions }: GrantSource, { permission, circumstances }: RandomQuestion): boolean {
  return permissions.some(
    (one) =>
      one === '*' ||
      one === permission ||
      (permission === 'tools:call' && one === `tools:call/${circumstances.classification.effect}`),
  )
}

function covers({ resources }: GrantSource, { target }: RandomQuestion): boolean {
  return resources.some((pattern) => {
    if (pattern === '*') return true
    if (target === 'castellan' || pattern === 'castellan') return target === pattern
    if (target.kind === 'server') return pattern === target.upstream
    const place = `${target.upstream}/${target.kind}s/`
    return [`${target.upstream}/*`, `${place}*`].includes(pattern) || pattern === place + (target.name ?? '')
  })
}

/** As the engine reads it. @throws Error where it does not */
function parse(text: string): PolicyJson {
  const answer = policyToJson(text)
  if (answer.type === 'failure') throw new Error(`${text}: ${answer.errors[0]?.message ?? ''}`)
  return answer.json
}

type Rule = { readonly id: string; readonly json: PolicyJson }

/** A rule whose remedy was met does not hold; where it cannot be reckoned, it denies all the same. */
export function unlessMet(text: string, id: string): string {
  return `${text.slice(0, text.lastIndexOf(';'))}\n unless { context.met.contains(${JSON.stringify(id)}) };`
}

/** Makes what tells the rules that a question meets, with those of roles written out for this question alone. */
export function createNaiveRules({ roles, files }: RandomSource): (question: RandomQuestion) => readonly Rule[] {
  const written = files.flatMap(({ name: file, rules }) =>
    rules.flatMap(({ text, name, isShadow, hasRemedy }, index) => {
      const id = `${file}#${name ?? String(index + 1)}`
      return isShadow ? [] : [{ id, json: parse(hasRemedy ? unlessMet(text, id) : text) }]
    }),
  )
  const granted = roles.flatMap(({ name, grants }) =>
    grants.map((grant, index) => {
      const where = grant.when === undefined ? '' : ` when { ${grant.when} }`
      const rule = `(principal, action, resource)${where};`
      const [id, own] = [`role:${name}#${index + 1}`, `role:${name}#${index + 1}!step-up`]
      const permit = { id, json: parse(`permit ${rule}`) }
      const forbid = { id: own, json: parse(unlessMet(`forbid ${rule}`, own)) }
      return { name, grant, rules: grant.stepUp === true ? [permit, forbid] : [permit] }
    }),
  )
  return (question) => [
    ...written,
    ...granted.flatMap(({ name, grant, rules }) =>
      question.principal.roles.includes(name) && permits(grant, question) && covers(grant, question) ? rules : [],
    ),
  ]
}
