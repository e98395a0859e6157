/**
 * What does a directory tell of a person? Its body in the one form in which people are kept.
 * Stops: a person without a name, members that no schema names, more than is kept. A password is never read.
 * Trusts: nothing. Fails: with the first value that cannot be read.
 * @see RFC 7643, sections 4.1 and 4.3
 */
import { type Refusal, isRefusal, refuse } from '#kernel'
import { scimLimits } from '../scim/limits.ts'
import { scimRefusals } from '../scim/refusals.ts'
import { enterpriseSchema, isIndexable } from './attributes.ts'
import { isExtension, type Place, readPath } from './paths.ts'
import { isMembers, type Members, readValue, wrongValue } from './read-values.ts'

/** A person as a directory tells of them, with the names of the schemas. */
export interface Told {
  readonly userName: string
  readonly externalId: string | undefined
  /** Not told: stays as it is. */
  readonly active: boolean | undefined
  /** Everything, `userName` and `externalId` among it, `active` not. */
  readonly document: Members
}

const longestUserName = 256
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/u

function put(document: Record<string, unknown>, place: Place, value: unknown): void {
  const { extension, attribute, part } = place
  let within = document
  for (const name of [extension, part === undefined ? undefined : attribute.name]) {
    if (name === undefined) continue
    const below = within[name]
    within = within[name] = isMembers(below) ? { ...below } : {}
  }
  within[part?.name ?? attribute.name] = value
}

/** SPEC: a key may be a name, a name with a part behind a dot, or either behind the address of its schema. */
function readMember(document: Record<string, unknown>, key: string, value: unknown): Refusal | undefined {
  const place = readPath('user', key)
  if (place === undefined || place.filter !== undefined) return undefined
  const { part } = place
  if (part !== undefined && place.attribute.isMultiValued === true) return undefined
  const read = readValue(part ?? place.attribute, value)
  if (isRefusal(read)) return read
  if (read !== undefined) put(document, place, read)
  return undefined
}

function readMembers(body: Members): Record<string, unknown> | Refusal {
  const document: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(body)) {
    const inside = isExtension(key) && isMembers(value) ? Object.entries(value) : undefined
    for (const [name, each] of inside ?? [[key, value] as const]) {
      const refusal = readMember(document, inside === undefined ? name : `${enterpriseSchema}:${name}`, each)
      if (refusal !== undefined) return refusal
    }
  }
  return document
}

/** Reads the body of a person, of a request or as a patch left it. */
export function readUser(body: Members): Told | Refusal {
  const document = readMembers(body)
  if (isRefusal(document)) return document
  const { active, ...rest } = document
  const { userName, externalId } = rest as { userName?: string; externalId?: string }
  const isName = userName !== undefined && userName.trim() === userName && !invisible.test(userName)
  if (!isName || userName.length > longestUserName || !isIndexable(userName)) return wrongValue('userName')
  if (externalId !== undefined && !isIndexable(externalId)) return wrongValue('externalId')
  const emails = (rest['emails'] ?? []) as readonly { readonly value?: string }[]
  if (emails.some(({ value = '' }) => !isIndexable(value))) return wrongValue('emails.value')
  if (JSON.stringify(rest).length > scimLimits.documentChars) {
    return refuse(scimRefusals.bodyTooLarge, { names: { what: 'attributes' } })
  }
  return { userName, externalId, active: active as boolean | undefined, document: rest }
}
