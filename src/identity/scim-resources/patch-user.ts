/**
 * What does a person look like after a patch? Each operation brought into the spelling of the schemas, then applied.
 * Stops: a path or key that reaches what no schema names; a value that is written around the checks of a whole body.
 * Trusts: scim-patch to apply operations of known paths to a copy. Fails: with the first operation, and nothing is kept.
 * @see RFC 7644, section 3.5.2
 */
import { type Refusal, isRefusal, refuse } from '#kernel'
import { scimPatch } from 'scim-patch'
import { parse } from 'scim2-parse-filter'
import { scimRefusals } from '../scim/refusals.ts'
import { attributeNamed, enterpriseSchema, type Attribute } from './attributes.ts'
import type { Operation } from './operations.ts'
import { isExtension, type Place, readPath } from './paths.ts'
import { isMembers, type Members, readValue } from './read-values.ts'

interface Step {
  readonly op: Operation['op']
  readonly place: Place
  readonly value: unknown
  /** As the directory wrote it. */
  readonly path: string
}

function badPath(path: string): Refusal {
  return refuse(scimRefusals.pathInvalid, { names: { path } })
}

const comparison = /^\s*([$A-Za-z][\w-]*)\s+(eq|ne|co|sw|ew|gt|ge|lt|le)\s+("[^"\\:]*"|true|false)\s*$/i

/** The filter of a value path, in the spelling of the schemas: one comparison. Undefined for any other. */
function readFilter({ attribute, filter = '' }: Place): string | undefined {
  const [, name = '', op = '', compared = ''] = comparison.exec(filter) ?? []
  const part = attributeNamed(attribute.parts ?? [], name)
  if (part === undefined) return undefined
  const isText = compared.startsWith('"')
  // SPEC: a boolean is written as a text by some.
  const value = part.type === 'boolean' && isText ? compared.slice(1, -1).toLowerCase() : compared
  const written = `${part.name} ${op.toLowerCase()} ${value}`
  try {
    parse(written)
  } catch {
    return undefined
  }
  return written
}

/** The path as scim-patch takes it. */
function pathOf({ extension, attribute, part, filter }: Place, written: string | undefined): string {
  const found = filter === undefined ? attribute.name : `${attribute.name}[${written}]`
  const path = part === undefined ? found : `${found}.${part.name}`
  return extension === undefined ? path : `${extension}:${path}`
}

/** What the value at a place is read as: one of several where a filter finds it. */
function kindOf({ attribute, part, filter }: Place): Attribute {
  if (part !== undefined) return part
  const { isMultiValued: _, ...single } = attribute
  return filter === undefined ? attribute : single
}

/** SPEC: Entra and Okta send many changes as one value without a path; its keys are paths. */
function stepsOf({ op, path, value }: Operation): readonly Step[] | Refusal {
  if (path !== undefined && !isExtension(path)) {
    const place = readPath('user', path)
    return place === undefined ? badPath(path) : [{ op, place, value, path }]
  }
  if (!isMembers(value)) return badPath(path ?? '')
  const prefix = path === undefined ? '' : `${enterpriseSchema}:`
  return Object.entries(value).flatMap(([key, each]): Step[] => {
    if (isExtension(key) && isMembers(each)) {
      const inside = stepsOf({ op, path: key, value: each })
      return isRefusal(inside) ? [] : [...inside]
    }
    const place = readPath('user', prefix + key)
    // WHY: what a schema does not name is not kept, in a patch no more than in a whole body.
    return place === undefined ? [] : [{ op, place, value: each, path: key }]
  })
}

/** Reads the value of a step; `remove` where it means none. */
function readStep(step: Step): Step | Refusal {
  if (step.op === 'remove' && step.value === undefined) return step
  const read = readValue(kindOf(step.place), step.value)
  if (isRefusal(read)) return read
  if (read === undefined)
    return step.op === 'add' ? { ...step, value: undefined } : { ...step, op: 'remove', value: undefined }
  return { ...step, value: read }
}

/** What scim-patch asks a resource to have; it is not kept. */
const frame = { schemas: [], meta: { created: new Date(0), lastModified: new Date(0) } }
type Patched = Members & typeof frame
type PatchedBy = Parameters<typeof scimPatch>[1][number]

function apply(document: Patched, step: Step): Patched | Refusal {
  const { op, place, value, path } = step
  const written = place.filter === undefined ? undefined : readFilter(place)
  if (place.filter !== undefined && written === undefined) return badPath(path)
  const isSingle = place.filter === undefined && place.part !== undefined && place.attribute.isMultiValued === true
  if (isSingle) return badPath(path)
  const { name } = place.part ?? place.attribute
  const isPinned = op === 'remove' && place.extension === undefined && place.part === undefined
  if (isPinned && (name === 'active' || name === 'userName')) {
    return refuse(scimRefusals.immutable, { names: { path } })
  }
  const named = pathOf(place, written)
  const change = value === undefined ? { op, path: named } : { op, path: named, value }
  try {
    return scimPatch(document, [change as PatchedBy], { mutateDocument: true, treatMissingAsAdd: true })
  } catch {
    // WHY: what is to be gone and is not there is gone.
    return op === 'remove' ? document : refuse(scimRefusals.targetMissing, { names: { path } })
  }
}

/** The body of a person after a patch, still to be read as a body. @param before as it is kept; stays as it is */
export function patchUser(before: Members, operations: readonly Operation[]): Members | Refusal {
  let document: Patched = { ...structuredClone(before), ...frame }
  for (const operation of operations) {
    const steps = stepsOf(operation)
    if (isRefusal(steps)) return steps
    for (const step of steps) {
      const read = readStep(step)
      if (isRefusal(read)) return read
      if (read.op === 'add' && read.value === undefined) continue
      const after = apply(document, read)
      if (isRefusal(after)) return after
      document = after
    }
  }
  return document
}
