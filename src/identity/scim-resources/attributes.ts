/**
 * Which attributes are there, and of which kind? What directories may tell of people and groups, as data.
 * Stops: attributes that nobody described from being kept, compared or given back.
 * Trusts: nothing. Fails: an unknown name has no attribute.
 * @see RFC 7643, sections 2, 4 and 7
 */

export const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const enterpriseSchema = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

export interface Attribute {
  readonly name: string
  readonly type: 'string' | 'boolean' | 'complex' | 'reference'
  readonly says: string
  readonly isMultiValued?: true
  readonly isRequired?: true
  readonly isCaseExact?: true
  /** Told by us alone. */
  readonly isReadOnly?: true
  readonly isUnique?: true
  readonly parts?: readonly Attribute[]
}

const text = (name: string, says: string): Attribute => ({ name, type: 'string', says })

const plural = (name: string, says: string, more: readonly Attribute[] = []): Attribute => ({
  name,
  type: 'complex',
  says,
  isMultiValued: true,
  parts: [
    text('value', 'the value itself'),
    text('display', 'how it is shown'),
    text('type', 'what it is for, such as `work`'),
    { name: 'primary', type: 'boolean', says: 'whether it is the one to use first' },
    ...more,
  ],
})

const nameParts = [
  text('formatted', 'the whole name, as it is written'),
  text('familyName', 'the family name'),
  text('givenName', 'the given name'),
  text('middleName', 'the middle names'),
  text('honorificPrefix', 'what stands before the name'),
  text('honorificSuffix', 'what stands after the name'),
]

const addressParts = ['formatted', 'streetAddress', 'locality', 'region', 'postalCode', 'country']

/** Common to all resources. */
const externalId: Attribute = {
  name: 'externalId',
  type: 'string',
  says: 'what the directory calls it',
  isCaseExact: true,
}

export const userAttributes: readonly Attribute[] = [
  { name: 'userName', type: 'string', says: 'what the directory calls the person', isRequired: true, isUnique: true },
  { name: 'name', type: 'complex', says: 'the parts of the name', parts: nameParts },
  text('displayName', 'the name that is shown'),
  text('nickName', 'what the person is called'),
  { name: 'profileUrl', type: 'reference', says: 'a page about the person' },
  text('title', 'what the person is in the company'),
  text('userType', 'how the person belongs to the company'),
  text('preferredLanguage', 'the language to address them in'),
  text('locale', 'where their numbers and dates are from'),
  text('timezone', 'where their clock is'),
  { name: 'active', type: 'boolean', says: 'whether they may come in; `false` ends all that is open at once' },
  plural('emails', 'e-mail addresses'),
  plural('phoneNumbers', 'telephone numbers'),
  plural('ims', 'addresses of instant messages'),
  plural('photos', 'addresses of pictures'),
  plural(
    'addresses',
    'addresses to write to',
    addressParts.map((name) => text(name, 'a part of the address')),
  ),
  {
    name: 'groups',
    type: 'complex',
    says: 'the groups of this connection that they are in',
    isMultiValued: true,
    isReadOnly: true,
    parts: [text('value', 'the id of the group'), text('display', 'its displayName'), text('type', 'always `direct`')],
  },
  plural('entitlements', 'kept and given back; they give nothing here'),
  plural('roles', 'kept and given back; they give nothing here, mapped groups do'),
]

export const enterpriseAttributes: readonly Attribute[] = [
  text('employeeNumber', 'the number of the employee'),
  text('costCenter', 'the cost center'),
  text('organization', 'the organization'),
  text('division', 'the division'),
  text('department', 'the department'),
  {
    name: 'manager',
    type: 'complex',
    says: 'whom they report to',
    parts: [
      text('value', 'the id of the manager'),
      { name: '$ref', type: 'reference', says: 'where the manager is found' },
      text('displayName', 'the name of the manager'),
    ],
  },
]

export const groupAttributes: readonly Attribute[] = [
  {
    name: 'displayName',
    type: 'string',
    says: 'the name by which a group is mapped',
    isRequired: true,
    isUnique: true,
  },
  {
    name: 'members',
    type: 'complex',
    says: 'the people in it; groups within groups are not kept',
    isMultiValued: true,
    parts: [
      text('value', 'the id of the person'),
      { name: '$ref', type: 'reference', says: 'where the person is found' },
      text('type', 'always `User`'),
      text('display', 'the name that is shown'),
    ],
  },
]

/** All that is read of a person and of a group from the body of a request, beside the extension. */
export const readable = {
  user: [externalId, ...userAttributes.filter((one) => one.isReadOnly !== true)],
  group: [externalId, ...groupAttributes],
} as const

/** Finds an attribute by its name in any case. */
export function attributeNamed(attributes: readonly Attribute[], name: string): Attribute | undefined {
  const folded = name.toLowerCase()
  return attributes.find((one) => one.name.toLowerCase() === folded)
}

const mostIndexedBytes = 2_000

/** Whether a text can be searched for by an index of either database, as it is and folded. */
export function isIndexable(value: string): boolean {
  return Buffer.byteLength(value) <= mostIndexedBytes && Buffer.byteLength(foldText(value)) <= mostIndexedBytes
}

/** The one spelling in which texts are compared that are not case-exact. */
export function foldText(value: string): string {
  return value.normalize('NFKC').toLowerCase()
}
