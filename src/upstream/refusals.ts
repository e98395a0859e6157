/**
 * What the upstream room refuses with.
 *
 * Stops: inner names, addresses and process output from reaching the caller.
 * Trusts: the kernel to clean the names that are filled in.
 * Fails: nothing here can fail.
 */
import { defineRefusals } from '#kernel'

export const upstreamRefusals = defineRefusals({
  nameInvalid: {
    code: 'upstream.name-invalid',
    says: '{name} cannot be the name of an upstream',
    hint: 'use 1 to 31 lower-case letters, digits and single hyphens, starting with a letter',
    status: 422,
  },
  nameReserved: {
    code: 'upstream.name-reserved',
    says: '{name} is a name that castellan keeps for itself',
    hint: 'choose another name',
    status: 422,
  },
  nameTaken: {
    code: 'upstream.name-taken',
    says: 'there is an upstream {name} already',
    hint: 'choose another name, or remove that upstream first',
    status: 409,
  },
  unknown: {
    code: 'upstream.unknown',
    says: 'there is no upstream {name}',
    hint: 'list the upstreams to see their names',
    status: 404,
  },
  addressMissing: {
    code: 'upstream.address-missing',
    says: 'an upstream has either a command or a url',
    hint: 'give exactly one of the two',
    status: 422,
  },
  commandInvalid: {
    code: 'upstream.command-invalid',
    says: 'the command cannot be run: {problem}',
    hint: 'give the program and each argument as an element of its own; no shell reads them, so no quoting is needed',
    status: 422,
  },
  urlInvalid: {
    code: 'upstream.url-invalid',
    says: 'the url cannot be used: {problem}',
    hint: 'give an http or https url without user name, password and fragment',
    status: 422,
  },
  environmentInvalid: {
    code: 'upstream.environment-invalid',
    says: 'the environment cannot be used: {problem}',
    hint: 'give at most 64 names of letters, digits and underscores with text values, for a command only',
    status: 422,
  },
  toolUnknown: {
    code: 'upstream.tool-unknown',
    says: 'the upstream has not offered a tool {tool}',
    hint: 'review the upstream to see the tools it offers',
    status: 404,
  },
  definitionMoved: {
    code: 'upstream.definition-moved',
    says: 'the tool {tool} has another definition than the one you looked at',
    hint: 'look at the tool again, then approve what you see',
    status: 409,
  },
  unreachable: {
    code: 'upstream.review-unreachable',
    says: 'the upstream {name} cannot be reached',
    hint: 'check that its command or url works from this machine, then review it again',
    status: 502,
  },
  reviewTimeout: {
    code: 'upstream.review-timeout',
    says: 'the upstream {name} did not list its tools in time',
    hint: 'check that the upstream is healthy, then review it again',
    status: 504,
  },
  reviewMisbehaved: {
    code: 'upstream.review-misbehaved',
    says: 'the upstream {name} did not answer as an mcp server does',
    hint: 'check that the command or url belongs to an mcp server; the ledger has the detail',
    status: 502,
  },
  credentialsRefused: {
    code: 'upstream.review-credentials-refused',
    says: 'the upstream {name} refused the credentials castellan presented',
    hint: 'give the upstream working credentials, then review it again',
    status: 502,
  },
})
