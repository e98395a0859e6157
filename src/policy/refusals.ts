/**
 * What does policy refuse with?
 * Stops: a change that is refused without saying what to do instead.
 * Trusts: nothing.
 * Fails: nothing here can.
 */
import { defineRefusals } from '#kernel'

export const policyRefusals = defineRefusals({
  roleNameInvalid: {
    code: 'policy.role-name-invalid',
    says: '{role} cannot be the name of a role',
    hint: 'use 1 to 63 lower-case letters, digits and dashes, beginning with a letter',
    status: 400,
  },
  ownerInvalid: {
    code: 'policy.owner-invalid',
    says: 'the owner of a role is a name of one line and at most {limit} characters',
    hint: 'write the name of the person who answers for it, or leave it out',
    status: 400,
  },
  descriptionInvalid: {
    code: 'policy.description-invalid',
    says: 'the description of a role is one line of at most {limit} characters',
    hint: 'shorten it, and leave out line breaks and control characters',
    status: 400,
  },
  roleUnknown: {
    code: 'policy.role-unknown',
    says: 'there is no role {role}',
    hint: '`castellan role list` shows the roles there are',
    status: 404,
  },
  roleShipped: {
    code: 'policy.role-shipped',
    says: 'role {role} is shipped with castellan and cannot be changed or removed',
    hint: 'make a role of your own with another name',
    status: 409,
  },
  personUnknown: {
    code: 'policy.person-unknown',
    says: 'there is no person {person}',
    hint: '`castellan user list` shows the people there are',
    status: 404,
  },
  grantEmpty: {
    code: 'policy.grant-empty',
    says: 'a grant needs a list of permissions and a list of resources, neither of them empty',
    hint: 'for example permissions ["tools:call"] on resources ["notes/tools/read_note"]',
    status: 400,
  },
  permissionUnknown: {
    code: 'policy.permission-unknown',
    says: 'there is no permission {permission}',
    hint: 'the data plane has servers:use, tools:call, resources:read, prompts:get, files:read and roots:share; the admin plane has people, roles, upstreams, holds and tokens with :read or :write, and audit:read; * is all of them',
    status: 400,
  },
  stepUpInvalid: {
    code: 'policy.step-up-invalid',
    says: '`stepUp` of a grant is `true`, or left out',
    hint: 'leave it out for a grant that asks for no fresh factor',
    status: 400,
  },
  stepUpIdle: {
    code: 'policy.step-up-idle',
    says: 'a fresh factor cannot be asked for {permission}, which is not used one call at a time',
    hint: 'ask for it with tools:call, resources:read, prompts:get or files:read, in a grant of their own',
    status: 400,
  },
  conditionInvalid: {
    code: 'policy.condition-invalid',
    says: 'the condition of a grant cannot be read: {problem}',
    hint: 'write one Cedar expression, such as context.time.hour < 18; see docs/policy-language.md',
    status: 400,
  },
  patternInvalid: {
    code: 'policy.pattern-invalid',
    says: 'there is no such form of resource pattern: {pattern}',
    hint: 'write *, castellan, <upstream>, <upstream>/*, <upstream>/tools/* or <upstream>/tools/<tool>, likewise with resources and prompts',
    status: 400,
  },
  patternWildcard: {
    code: 'policy.pattern-wildcard',
    says: 'in resource pattern {pattern} the * is no wildcard, and names with a * cannot be granted one by one',
    hint: 'a * stands alone, as in <upstream>/tools/*; list the names otherwise',
    status: 400,
  },
  permissionIdle: {
    code: 'policy.permission-idle',
    says: 'permission {permission} applies to none of the resources of its grant',
    hint: 'servers:use needs <upstream> itself, tools:call needs <upstream>/tools/… or <upstream>/*, admin permissions need castellan',
    status: 400,
  },
  resourceIdle: {
    code: 'policy.resource-idle',
    says: 'none of the permissions of its grant applies to resource {pattern}',
    hint: 'move it to a grant with a fitting permission, or leave it out',
    status: 400,
  },
  roleTooLarge: {
    code: 'policy.role-too-large',
    says: 'the role is over a limit: at most {limit}',
    hint: 'split it into several grants or roles, or use a wildcard',
    status: 400,
  },
  policyTooLarge: {
    code: 'policy.too-large',
    says: 'with this change all roles together would be over the limit of {limit}',
    hint: 'remove roles that nobody has',
    status: 409,
  },
  policyInvalid: {
    code: 'policy.invalid',
    says: 'the role would not compile to a valid policy: {problem}',
    hint: 'nothing was changed; correct the role and send it again',
    status: 422,
  },
  lastAdmin: {
    code: 'policy.last-admin',
    says: 'the last active administrator keeps the role {role}',
    hint: 'give the role to another active person first',
    status: 409,
  },
  lastAdminHeld: {
    code: 'policy.last-admin-held',
    says: 'no other administrator could lift this hold, so it needs an end within {limit}',
    hint: 'place it with an expiry, or give another active person the role `admin` first',
    status: 409,
  },
  beyondOwnGrants: {
    code: 'policy.beyond-own-grants',
    says: 'nobody gives or takes more than they have: no role of yours grants {permission} on {pattern}',
    hint: 'ask an administrator who has it',
    status: 403,
  },
  roleForPeople: {
    code: 'policy.role-for-people',
    says: 'role {role} grants {permission} on the admin plane, which no service account is given',
    hint: 'give it a role with what it calls, and at most permissions that end with :read on castellan',
    status: 409,
  },
  adminReadUnsaid: {
    code: 'policy.admin-read-unsaid',
    says: 'role {role} grants {permission} on the admin plane, which is not said of this service account',
    hint: 'make the account with `--admin-read` if it is to read there',
    status: 409,
  },
  holdSubjectInvalid: {
    code: 'policy.hold-subject-invalid',
    says: '{subject} cannot be held as {kind}',
    hint: 'hold a person or a client by id, an address as 203.0.113.7 or 203.0.113.0/24, a tool as <upstream>/<tool>, an upstream by name, or everything with an empty subject',
    status: 400,
  },
  holdOnLoopback: {
    code: 'policy.hold-on-loopback',
    says: 'a hold on {network} would stop this machine itself, and whoever comes through a proxy on it',
    hint: 'hold a narrower network, or hold everything',
    status: 409,
  },
  holdReasonInvalid: {
    code: 'policy.hold-reason-invalid',
    says: 'a hold needs a reason in one line of at most {limit} characters',
    hint: 'it is shown to the person who is stopped and kept in the ledger',
    status: 400,
  },
  holdExpiryInvalid: {
    code: 'policy.hold-expiry-invalid',
    says: 'a hold cannot end in the past',
    hint: 'give a later time, or none: the hold then stays until it is lifted',
    status: 400,
  },
  holdUnknown: {
    code: 'policy.hold-unknown',
    says: 'there is no hold {hold} in force',
    hint: '`castellan hold list` shows the holds in force',
    status: 404,
  },
  flowOwn: {
    code: 'policy.flow-own',
    says: 'nobody sets back the labels of their own clients',
    hint: 'ask another administrator',
    status: 403,
  },
  flowReasonInvalid: {
    code: 'policy.flow-reason-invalid',
    says: 'setting labels back needs a reason of one line, at most {limit} characters',
    hint: 'say why what was met does not count any more',
    status: 400,
  },
})
