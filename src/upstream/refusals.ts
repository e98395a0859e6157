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
  nameLeavesNoRoom: {
    code: 'upstream.name-leaves-no-room',
    says: 'with {name} the shortest names of its tools would have {needed} characters, and clients take {most}',
    hint: 'choose a name of at most 27 characters',
    status: 422,
  },
  bundleNameInvalid: {
    code: 'upstream.bundle-name-invalid',
    says: '{name} cannot be the name of a bundle',
    hint: 'use 1 to 31 lower-case letters, digits and single hyphens, starting with a letter',
    status: 422,
  },
  bundleNameTaken: {
    code: 'upstream.bundle-name-taken',
    says: 'there is a bundle {name} already',
    hint: 'choose another name, or remove that bundle first',
    status: 409,
  },
  bundleUnknown: {
    code: 'upstream.bundle-unknown',
    says: 'there is no bundle {name}',
    hint: 'list the bundles to see their names',
    status: 404,
  },
  bundleMembersInvalid: {
    code: 'upstream.bundle-members-invalid',
    says: 'a bundle has 1 to 64 upstreams, each once',
    hint: 'name each upstream once, in the order in which their tools are listed',
    status: 422,
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
  endpointOfCommand: {
    code: 'upstream.endpoint-of-command',
    says: 'the upstream {name} is a command; only what is reached by url has endpoints',
    hint: 'add the url as an upstream of its own',
    status: 422,
  },
  endpointUnknown: {
    code: 'upstream.endpoint-unknown',
    says: 'the upstream has no endpoint {id}',
    hint: 'list the endpoints of the upstream to see their ids',
    status: 404,
  },
  endpointTaken: {
    code: 'upstream.endpoint-taken',
    says: 'the upstream has an endpoint with this url already',
    hint: 'give another url, or remove that endpoint first',
    status: 409,
  },
  endpointsFull: {
    code: 'upstream.endpoints-full',
    says: 'the upstream {name} has 16 endpoints, which is as many as one may have',
    hint: 'remove one first, or put a load balancer of your own behind one url',
    status: 409,
  },
  endpointLast: {
    code: 'upstream.endpoint-last',
    says: 'an upstream keeps at least one endpoint',
    hint: 'add another endpoint first, or remove the upstream',
    status: 409,
  },
  weightInvalid: {
    code: 'upstream.weight-invalid',
    says: 'the weight is not a whole number from 1 to 100',
    hint: 'give an endpoint that takes twice as much twice the weight',
    status: 422,
  },
  regionInvalid: {
    code: 'upstream.region-invalid',
    says: '{region} cannot be the name of a region',
    hint: 'use up to 32 lower-case letters, digits and hyphens, as in `upstreams.region` of the configuration',
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
  toolUnapproved: {
    code: 'upstream.tool-unapproved',
    says: 'no definition of the tool {tool} is approved, so there is nothing to classify',
    hint: 'classify a tool when you approve it, or afterwards',
    status: 409,
  },
  classificationInvalid: {
    code: 'upstream.classification-invalid',
    says: '{field} is not as a classification has it',
    hint: 'effect is one of discover, read, query, write, execute, administer; sensitivity one of public, internal, confidential, restricted; data classes are up to 16 lower-case names; the owner is one line',
    status: 400,
  },
  definitionMoved: {
    code: 'upstream.definition-moved',
    says: 'the tool {tool} has another definition than the one you looked at',
    hint: 'look at the tool again, then approve what you see',
    status: 409,
  },
  toolUnapprovable: {
    code: 'upstream.tool-unapprovable',
    says: 'the tool {tool} cannot be approved: {reason}',
    hint: 'ask whoever runs the upstream to mend the definition, then review it again',
    status: 422,
  },
  warningUnanswered: {
    code: 'upstream.warning-unanswered',
    says: 'the tool {tool} is not approved in passing: {reason}',
    hint: 'look at it with `castellan upstream diff`; to approve it all the same, name it and add --despite {warning}',
    status: 409,
  },
  unreachable: {
    code: 'upstream.review-unreachable',
    says: 'the upstream {name} cannot be reached',
    hint: 'check that its command or url works from this machine; `castellan audit tail` and `castellan audit show <seq>` tell how it ended',
    status: 502,
  },
  reviewTimeout: {
    code: 'upstream.review-timeout',
    says: 'the upstream {name} did not list its tools in time',
    hint: 'check that it answers, and that what it needs is there: a first `npx` downloads; then review it again',
    status: 504,
  },
  reviewMisbehaved: {
    code: 'upstream.review-misbehaved',
    says: 'the upstream {name} did not answer as an mcp server does',
    hint: 'check that the command or url belongs to an mcp server; `castellan audit tail` and `castellan audit show <seq>` have the detail',
    status: 502,
  },
  credentialsRefused: {
    code: 'upstream.review-credentials-refused',
    says: 'the upstream {name} refused the credentials castellan presented',
    hint: 'give the upstream working credentials, then review it again',
    status: 502,
  },
  inputUndeclared: {
    code: 'upstream.input-undeclared',
    says: 'the server asked for something that needs the capability {capability}, which this client did not declare',
    hint: 'use a client that can, or call it so that the server need not ask',
    status: 422,
  },
  inputUnsafe: {
    code: 'upstream.input-unsafe',
    says: 'the server asked to open an address that is neither https nor on this machine',
    hint: 'do not open it; tell the administrator of the server',
    status: 502,
  },
  inputRefused: {
    code: 'upstream.input-refused',
    says: 'the client answered {method} with an error: {problem}',
    hint: 'call again when the client can answer',
    status: 422,
  },
  inputUnanswered: {
    code: 'upstream.input-unanswered',
    says: 'the client did not answer {method} in time',
    hint: 'call again, and answer what the server asks',
    status: 504,
  },
  inputEndless: {
    code: 'upstream.input-endless',
    says: 'the server asked again and again without coming to an end',
    hint: 'call with all that the server needs, or tell its administrator',
    status: 502,
  },
})
