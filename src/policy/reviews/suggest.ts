/**
 * Which narrower grant would have let everything pass that was used?
 * Stops: a suggestion by which something that was used would be denied.
 * Trusts: what was counted of the period, and the effect classes that tools had when they were called.
 * Fails: where nothing narrower would do, or too much was used to say so, it suggests nothing.
 */
import { effectClasses } from '#kernel'
import { includes } from '../permissions.ts'
import type { Grant } from '../roles/role.ts'
import type { Rows } from '../snapshot/store.ts'
import type { Permit } from './permits.ts'
import { thingsUsed, type UsedThing } from './uses.ts'

/** A grant that is no wider than another, and wide enough for what was used through it. */
export type Suggestion = Pick<Grant, 'permissions' | 'resources'>

const mostThings = 500
/** More tools of one server are suggested as all of them. */
const mostNamed = 20

const folders = { tool: 'tools', prompt: 'prompts', resource: 'resources' } as const

/** The permissions without which something of it would be denied. */
function permissionsFor(things: readonly UsedThing[], given: readonly string[]): string[] {
  const isGiven = (name: string) => given.some((wide) => includes(wide, name))
  const effects = new Set(things.flatMap(({ kind, effect }) => (kind === 'tool' ? [effect] : [])))
  const calls = effectClasses.filter((effect) => effects.has(effect)).map((effect) => `tools:call/${effect}`)
  const kinds = new Set(things.map(({ kind }) => kind))
  const more = [...(kinds.has('resource') ? ['resources:read'] : []), ...(kinds.has('prompt') ? ['prompts:get'] : [])]
  // WHY: these leave no use by rule, so nothing tells that they are not needed.
  const unseen = ['servers:use', 'files:read', 'roots:share'].filter((name) => isGiven(name))
  return [...unseen, ...[...calls, ...more].filter(isGiven)]
}

function resourcesFor(things: readonly UsedThing[], given: Grant): string[] {
  const patterns: string[] = []
  const byPlace = Map.groupBy(things, ({ upstream, kind }) => JSON.stringify([upstream, kind]))
  for (const [{ upstream, kind } = { upstream: '', kind: '' }, ...rest] of byPlace.values()) {
    if (kind !== 'tool' && kind !== 'resource' && kind !== 'prompt') continue
    const all = `${upstream}/${folders[kind]}/*`
    const named = things.filter((thing) => thing.upstream === upstream && thing.kind === kind)
    const names = [...new Set(named.map(({ name }) => name))]
    const isWhole =
      kind === 'resource' || rest.length >= mostNamed || names.some((name) => name.includes('*') || name === '')
    if (kind === 'resource') {
      const own = given.resources.filter((text) => text.startsWith(`${upstream}/resources/`))
      patterns.push(...(own.length > 0 ? own : [all]))
    } else patterns.push(...(isWhole ? [all] : names.map((name) => `${upstream}/${folders[kind]}/${name}`)))
  }
  const servers = new Set(things.map(({ upstream }) => upstream))
  const usesServers = given.permissions.some((wide) => includes(wide, 'servers:use'))
  return [...(usesServers ? [...servers] : []), ...patterns].toSorted()
}

const text = ({ permissions, resources }: Suggestion): string =>
  JSON.stringify([permissions.toSorted(), resources.toSorted()])

/** For a grant of a role that was used; rules of files are for people to narrow. */
export async function suggest(
  rows: Rows,
  { grant, print, rule }: Pick<Permit, 'grant' | 'print' | 'rule'>,
  since: number,
): Promise<Suggestion | undefined> {
  if (grant === undefined) return undefined
  const prints = [print, `id:${rule}`]
  const things = await thingsUsed(rows, { prints, since, limit: mostThings + 1 })
  if (things.length === 0 || things.length > mostThings) return undefined
  const suggestion = { permissions: permissionsFor(things, grant.permissions), resources: resourcesFor(things, grant) }
  const isEmpty = suggestion.permissions.length === 0 || suggestion.resources.length === 0
  return isEmpty || text(suggestion) === text(grant) ? undefined : suggestion
}
