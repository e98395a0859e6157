/**
 * What does a path point at? An attribute, a part of one, or those of its values that a filter finds.
 * Stops: ways to what no schema names, such as `__proto__`; a path whose filter is read in two ways.
 * Trusts: nothing. Fails: a path that leads nowhere is refused.
 * @see RFC 7644, section 3.5.2
 */
import { scimLimits } from '../scim/limits.ts'
import {
  type Attribute,
  attributeNamed,
  enterpriseAttributes,
  enterpriseSchema,
  groupSchema,
  readable,
  userSchema,
} from './attributes.ts'

/** Where a path leads, in the spelling of the schemas. */
export interface Place {
  /** The extension it lies in. */
  readonly extension: typeof enterpriseSchema | undefined
  readonly attribute: Attribute
  /** Between the brackets, as it came. */
  readonly filter: string | undefined
  readonly part: Attribute | undefined
}

const shape = /^([A-Za-z][\w-]*)(?:\[([^[\]]+)\])?(?:\.([$A-Za-z][\w-]*))?$/
const schemas = [userSchema, groupSchema, enterpriseSchema] as const

function afterSchema(path: string): { schema: (typeof schemas)[number] | undefined; rest: string } {
  const folded = path.toLowerCase()
  const schema = schemas.find((one) => folded.startsWith(`${one.toLowerCase()}:`))
  return { schema, rest: schema === undefined ? path : path.slice(schema.length + 1) }
}

/** Finds where a path leads; undefined when it leads nowhere. */
export function readPath(kind: 'user' | 'group', path: string): Place | undefined {
  if (path.length > scimLimits.pathChars) return undefined
  const { schema, rest } = afterSchema(path)
  if (schema !== undefined && (kind === 'group') !== (schema === groupSchema)) return undefined
  const [, name = '', filter, partName] = shape.exec(rest) ?? []
  const extension = schema === enterpriseSchema ? schema : undefined
  const attribute = attributeNamed(extension === undefined ? readable[kind] : enterpriseAttributes, name)
  if (attribute === undefined || (filter !== undefined && attribute.isMultiValued !== true)) return undefined
  const part = partName === undefined ? undefined : attributeNamed(attribute.parts ?? [], partName)
  return partName !== undefined && part === undefined ? undefined : { extension, attribute, filter, part }
}

/** Whether a key of a body stands for a whole extension. */
export function isExtension(key: string): boolean {
  return key.toLowerCase() === enterpriseSchema.toLowerCase()
}
