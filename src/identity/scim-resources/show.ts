/**
 * What does an answer hold of a resource? What was asked for, with what is always there.
 * Stops: an answer with more than a client asked for; versions that mean two things.
 * Trusts: what is kept. Fails: nothing here can fail.
 * @see RFC 7643, section 3.1; RFC 7644, sections 3.4.2.5 and 3.14
 */
import type { Tables } from '#platform/database'
import { enterpriseSchema, groupSchema, userSchema } from './attributes.ts'
import { isMembers, type Members } from './read-values.ts'

/** A resource as it is answered. */
export type Shown = Readonly<Record<string, unknown>>

/** Which attributes an answer has; all of them where neither is given. */
export interface Wanted {
  readonly only?: readonly string[] | undefined
  readonly without?: readonly string[] | undefined
}

/** SPEC: weak, as two answers of one version may differ in what was asked for. */
export function etagOf(version: number): string {
  return `W/"${version}"`
}

interface Meta {
  readonly base: string
  readonly version: number
  readonly created_at: number
  readonly updated_at: number
}

function metaOf(type: 'User' | 'Group', id: string, { base, version, created_at, updated_at }: Meta): Shown {
  return {
    resourceType: type,
    created: new Date(created_at).toISOString(),
    lastModified: new Date(updated_at).toISOString(),
    location: `${base}/${type}s/${id}`,
    version: etagOf(version),
  }
}

export interface UserRow extends Pick<
  Tables['scim_people'],
  'person_id' | 'document' | 'version' | 'created_at' | 'updated_at'
> {
  readonly status: 'active' | 'suspended'
}

/** A person as the connection sees them. */
export function showUser(
  row: UserRow,
  { base, groups }: { base: string; groups: readonly { id: string; display_name: string }[] },
): Shown {
  const document = JSON.parse(row.document) as Members
  const shownGroups = groups.map(({ id, display_name }) => ({
    value: id,
    display: display_name,
    type: 'direct',
    $ref: `${base}/Groups/${id}`,
  }))
  return {
    schemas: enterpriseSchema in document ? [userSchema, enterpriseSchema] : [userSchema],
    id: row.person_id,
    ...document,
    active: row.status === 'active',
    ...(groups.length === 0 ? {} : { groups: shownGroups }),
    meta: metaOf('User', row.person_id, { ...row, base }),
  }
}

export type GroupRow = Pick<
  Tables['scim_groups'],
  'id' | 'display_name' | 'external_id' | 'version' | 'created_at' | 'updated_at'
>

/** A group as the connection sees it. */
export function showGroup(
  row: GroupRow,
  { base, members }: { base: string; members: readonly { person_id: string; display_name: string }[] },
): Shown {
  return {
    schemas: [groupSchema],
    id: row.id,
    ...(row.external_id === null ? {} : { externalId: row.external_id }),
    displayName: row.display_name,
    members: members.map(({ person_id, display_name }) => ({
      value: person_id,
      display: display_name,
      type: 'User',
      $ref: `${base}/Users/${person_id}`,
    })),
    meta: metaOf('Group', row.id, { ...row, base }),
  }
}

const always: ReadonlySet<string> = new Set(['schemas', 'id'])
const schemaPrefixes = [userSchema, groupSchema].map((schema) => `${schema}:`.toLowerCase())

/** The name and part that a wish is for, folded; an extension is a name. */
function wishOf(path: string): { name: string; part: string | undefined } {
  const folded = path.trim().toLowerCase()
  const core = schemaPrefixes.find((prefix) => folded.startsWith(prefix))
  const extension = enterpriseSchema.toLowerCase()
  if (folded.startsWith(extension)) return { name: extension, part: folded.slice(extension.length + 1) || undefined }
  const [name = '', part] = (core === undefined ? folded : folded.slice(core.length)).split('.', 2)
  return { name, part }
}

function partsOf(value: unknown, keep: (part: string) => boolean): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => partsOf(one, keep))
  if (!isMembers(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([part]) => keep(part.toLowerCase())))
}

function chosen(name: string, value: unknown, wishes: readonly string[], isKept: boolean): unknown {
  const own = wishes.map(wishOf).filter((wish) => wish.name === name.toLowerCase())
  if (own.length === 0) return isKept ? undefined : value
  if (own.some((wish) => wish.part === undefined)) return isKept ? value : undefined
  const parts = new Set(own.map((wish) => wish.part?.split('.', 1)[0]))
  return partsOf(value, (part) => parts.has(part) === isKept)
}

/** Only what was asked for; the id and the schemas always. */
export function project(shown: Shown, { only, without }: Wanted): Shown {
  const wishes = only ?? without
  if (wishes === undefined) return shown
  const isKept = only !== undefined
  const entries = Object.entries(shown).map(([name, value]): [string, unknown] =>
    always.has(name) ? [name, value] : [name, chosen(name, value, wishes, isKept)],
  )
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

/** Whether an answer has this attribute, so that it has to be read. */
export function isWanted(name: string, { only, without }: Wanted): boolean {
  const folded = name.toLowerCase()
  if (only !== undefined) return only.some((path) => wishOf(path).name === folded)
  return !(without ?? []).some((path) => wishOf(path).name === folded && wishOf(path).part === undefined)
}
