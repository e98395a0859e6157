/**
 * What directories are refused with. Stops an answer from telling of people and groups of somebody else.
 * Trusts nothing: the reason goes into the ledger. Fails at compile time on a code that is not listed.
 */
import { defineRefusals } from '#kernel'

export const scimRefusals = defineRefusals({
  directoryUnknown: {
    code: 'scim.token-invalid',
    says: 'this token is not valid here',
    hint: 'use the token of a provisioning connection, or ask an administrator to rotate it',
    status: 401,
  },
  scopeMissing: {
    code: 'scim.scope-missing',
    says: 'this token does not have the scope `scim`, or its client has no connection',
    hint: 'ask an administrator to tie the client to a connection',
    status: 403,
  },
  pathUnknown: {
    code: 'scim.path-unknown',
    says: 'there is nothing at this path',
    hint: 'read /scim/v2/ResourceTypes',
    status: 404,
  },
  methodMissing: {
    code: 'scim.method-not-allowed',
    says: 'this method is not answered here',
    hint: 'read the Allow header of this answer',
    status: 405,
  },
  notSupported: {
    code: 'scim.not-supported',
    says: '{what} is not supported',
    hint: 'read /scim/v2/ServiceProviderConfig',
    status: 501,
  },
  resourceUnknown: {
    code: 'scim.resource-unknown',
    says: 'there is no such resource',
    hint: 'search for it; a connection finds only what it made or was given',
    status: 404,
  },
  typeUnsupported: {
    code: 'scim.type-unsupported',
    says: 'the body is not of a type that is read here',
    hint: 'send `application/scim+json` or `application/json`, not compressed',
    status: 415,
  },
  bodyTooLarge: {
    code: 'scim.body-too-large',
    says: 'the request has more than is taken at a time: {what}',
    hint: 'send it in parts',
    status: 413,
  },
  syntaxInvalid: {
    code: 'scim.syntax-invalid',
    says: 'the request cannot be read: {problem}',
    hint: 'compare it with RFC 7644',
    status: 400,
  },
  valueInvalid: {
    code: 'scim.value-invalid',
    says: 'a value cannot be what it is meant for: {problem}',
    hint: 'compare it with /scim/v2/Schemas',
    status: 400,
  },
  pathInvalid: {
    code: 'scim.path-invalid',
    says: 'the path {path} leads nowhere',
    hint: 'compare it with /scim/v2/Schemas',
    status: 400,
  },
  targetMissing: {
    code: 'scim.target-missing',
    says: 'no value is at the path {path}',
    hint: 'add it, or read the resource again',
    status: 400,
  },
  immutable: {
    code: 'scim.attribute-immutable',
    says: 'the attribute {path} cannot be changed',
    hint: 'leave it out',
    status: 400,
  },
  filterInvalid: {
    code: 'scim.filter-invalid',
    says: 'the filter cannot be used: {problem}',
    hint: 'compare it with RFC 7644, section 3.4.2.2, and with the attributes in docs/scim.md',
    status: 400,
  },
  tooMany: {
    code: 'scim.too-many',
    says: 'a connection has no more than {limit} groups',
    hint: 'provision the groups that are mapped to roles, and no others',
    status: 409,
  },
  userNameTaken: {
    code: 'scim.user-name-taken',
    says: 'this userName belongs to a person who is here already',
    hint: 'an administrator can hand that person over with `castellan scim adopt`',
    status: 409,
  },
  groupTaken: {
    code: 'scim.group-taken',
    says: 'there is a group of this displayName already',
    hint: 'search for it and change that one',
    status: 409,
  },
  versionStale: {
    code: 'scim.version-stale',
    says: 'the resource was changed since this version of it was read',
    hint: 'read it again',
    status: 412,
  },
  connectionInvalid: {
    code: 'scim.connection-invalid',
    says: 'this cannot be a provisioning connection: {problem}',
    hint: 'a name has 1 to 31 lower-case letters, digits and hyphens; a token lives for 1 to 730 days',
    status: 422,
  },
  connectionTaken: {
    code: 'scim.connection-taken',
    says: 'there is a provisioning connection called {name}, or one with this client, already',
    hint: 'choose another, or remove it first',
    status: 409,
  },
  connectionUnknown: {
    code: 'scim.connection-unknown',
    says: 'there is no provisioning connection of this name',
    hint: 'list them with `castellan scim list`',
    status: 404,
  },
  mappingUnknown: {
    code: 'scim.mapping-unknown',
    says: 'this group is not mapped to that role',
    hint: 'see the mappings with `castellan scim list`',
    status: 404,
  },
  administrationUnsaid: {
    code: 'scim.administration-unsaid',
    says: 'whoever may change this group at the directory could make administrators',
    hint: 'say so with --make-administrators, or map another role',
    status: 422,
  },
  adoptionRefused: {
    code: 'scim.adoption-refused',
    says: 'this person cannot be handed over: {problem}',
    hint: 'administrators, services and people of another connection stay where they are',
    status: 409,
  },
})
