/**
 * What is offered here? The three answers by which a directory finds out.
 * Stops: promises that are not kept: each limit is the one that is used. Trusts: the attributes as they are listed.
 * Fails: nothing here can fail.
 * @see RFC 7643, sections 5 to 7
 */
import { mostPerPage } from '../scim/limits.ts'
import {
  type Attribute,
  enterpriseAttributes,
  enterpriseSchema,
  groupAttributes,
  groupSchema,
  userAttributes,
  userSchema,
} from './attributes.ts'
import type { Shown } from './show.ts'

const core = 'urn:ietf:params:scim:schemas:core:2.0'

/** What is supported. */
export function serviceProviderConfig(base: string): Shown {
  const scheme = (type: string, name: string, description: string) => ({ type, name, description })
  return {
    schemas: [`${core}:ServiceProviderConfig`],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: mostPerPage },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: true },
    authenticationSchemes: [
      scheme('oauthbearertoken', 'Provisioning token', 'a token of one connection, made by an administrator'),
      scheme('oauth2', 'OAuth client credentials', 'an access token of a registered client with the scope scim'),
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
  }
}

/** What kinds of resources there are. */
export function resourceTypes(base: string): readonly Shown[] {
  const type = (name: string, schema: string, description: string) => ({
    schemas: [`${core}:ResourceType`],
    id: name,
    name,
    endpoint: `/${name}s`,
    description,
    schema,
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${name}` },
  })
  const extended = { schemaExtensions: [{ schema: enterpriseSchema, required: false }] }
  return [
    { ...type('User', userSchema, 'a person'), ...extended },
    type('Group', groupSchema, 'people who have something in common'),
  ]
}

function describe(attribute: Attribute): Shown {
  const { name, type, says, parts } = attribute
  return {
    name,
    type,
    multiValued: attribute.isMultiValued ?? false,
    description: says,
    required: attribute.isRequired ?? false,
    caseExact: attribute.isCaseExact ?? false,
    mutability: attribute.isReadOnly === true ? 'readOnly' : 'readWrite',
    returned: 'default',
    uniqueness: attribute.isUnique === true ? 'server' : 'none',
    ...(type === 'reference' ? { referenceTypes: ['uri'] } : {}),
    ...(parts === undefined ? {} : { subAttributes: parts.map(describe) }),
  }
}

/** What is told of each kind. */
export function schemaList(base: string): readonly Shown[] {
  const schema = (id: string, name: string, attributes: readonly Attribute[]) => ({
    schemas: [`${core}:Schema`],
    id,
    name,
    description: name,
    attributes: attributes.map(describe),
    meta: { resourceType: 'Schema', location: `${base}/Schemas/${id}` },
  })
  return [
    schema(userSchema, 'User', userAttributes),
    schema(groupSchema, 'Group', groupAttributes),
    schema(enterpriseSchema, 'EnterpriseUser', enterpriseAttributes),
  ]
}
