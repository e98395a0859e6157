import {
  clientAuthentications,
  type ProviderLink,
  providerSettings,
  type ProviderView,
  type WithdrawnKey,
} from '#identity'
import { isRefusal, refuse, type Refusal } from '#kernel'
import { z } from 'zod'
import { refusals } from '../refusals.ts'
import type { Rooms } from '../rooms.ts'
import { route } from '../route.ts'
import { isoTime, isoTimeOrNull, listOf, moment, nameParams, nameText } from '../shapes.ts'

const provider = z.object({
  name: z.string(),
  title: z.string(),
  issuer: z.string(),
  clientId: z.string(),
  clientAuthentication: z.enum(clientAuthentications),
  settings: providerSettings,
  /** What is to be registered at the provider. */
  redirectUri: z.string(),
  backchannelLogoutUri: z.string(),
  postLogoutRedirectUri: z.string(),
  createdAt: moment,
  createdBy: z.string().nullable(),
})

const link = z.object({
  issuer: z.string(),
  subject: z.string(),
  personId: z.string(),
  createdAt: moment,
  lastSeenAt: moment.nullable(),
})

const newProvider = z.strictObject({
  name: nameText,
  title: nameText.optional(),
  issuer: z.string().max(2000),
  clientId: z.string().max(2000),
  clientAuthentication: z.enum(clientAuthentications).optional(),
  clientSecret: z.string().max(8000).optional(),
  settings: providerSettings.optional(),
})

const linkParams = z.strictObject({ name: nameText, subject: nameText })
const ended = z.object({ endedSessions: z.number().int() })

function show({ config }: Rooms, view: ProviderView): z.input<typeof provider> {
  const below = `${config.gateway.publicUrl}/sso/${view.name}`
  return {
    ...view,
    redirectUri: `${below}/callback`,
    backchannelLogoutUri: `${below}/backchannel-logout`,
    postLogoutRedirectUri: `${below}/logged-out`,
    createdAt: isoTime(view.createdAt),
  }
}

function showLink({ issuer, subject, personId, createdAt, lastSeenAt }: ProviderLink): z.input<typeof link> {
  return { issuer, subject, personId, createdAt: isoTime(createdAt), lastSeenAt: isoTimeOrNull(lastSeenAt) }
}

const list = route({
  method: 'GET',
  path: '/providers',
  summary: 'every identity provider that people sign in at; never its secret',
  access: 'people:read',
  answer: listOf(provider),
  handle: async ({ rooms }) => ({ items: (await rooms.identity.providers.list()).map((view) => show(rooms, view)) }),
})

const add = route({
  method: 'POST',
  path: '/providers',
  summary: 'let people sign in at an OpenID provider; the roles that it maps groups to are within your own',
  access: 'config:write',
  status: 201,
  body: newProvider,
  answer: provider,
  async handle({ rooms, principal, body, allow }) {
    const given = [...new Set(Object.values(body.settings?.roles ?? {}).flat())]
    const refusal =
      given.length === 0
        ? undefined
        : (allow('roles:write') ?? (await rooms.policy.roles.refuseGiving(given, principal)))
    if (refusal !== undefined) return refusal
    const added = await rooms.identity.providers.add(body, principal)
    return isRefusal(added) ? added : show(rooms, added)
  },
})

const remove = route({
  method: 'DELETE',
  path: '/providers/:name',
  summary: 'remove an identity provider; sessions, grants and roles that came from it end',
  access: 'config:write',
  params: nameParams,
  answer: ended,
  handle: ({ rooms, principal, params }) => rooms.identity.providers.remove(params.name, principal),
})

const examine = route({
  method: 'POST',
  path: '/providers/:name/test',
  summary: 'ask an identity provider for its metadata and judge them as a sign-in would',
  access: 'config:write',
  params: nameParams,
  answer: z.object({
    isUsable: z.boolean(),
    problem: z.string().nullable(),
    endpoints: z.record(z.string(), z.string()),
  }),
  async handle({ rooms, params }) {
    const tested = await rooms.identity.providers.test(params.name)
    if (!isRefusal(tested)) return { isUsable: true, problem: null, endpoints: { ...tested } }
    const { problem } = tested.detail
    // WHY: an administrator who asks why is the one reader of the reason.
    return typeof problem === 'string' ? { isUsable: false, problem, endpoints: {} } : tested
  },
})

const links = route({
  method: 'GET',
  path: '/providers/:name/links',
  summary: 'who is whom at an identity provider, newest first',
  access: 'people:read',
  params: nameParams,
  answer: listOf(link),
  async handle({ rooms, params }) {
    const found = await rooms.identity.providers.links(params.name)
    return isRefusal(found) ? found : { items: found.map(showLink) }
  },
})

async function findPerson(
  { identity, policy }: Rooms,
  idOrName: string,
  by: Parameters<typeof policy.roles.refuseGiving>[1],
) {
  const person = await identity.people.find(idOrName)
  if (person === undefined) return refuse(refusals.notFound, { names: { noun: 'person' } })
  // WHY: whoever links an account of their own to a person can be that person.
  const refusal: Refusal | undefined = await policy.roles.refuseGiving(person.roles, by)
  return refusal ?? person
}

const addLink = route({
  method: 'POST',
  path: '/providers/:name/links',
  summary: 'link an account at an identity provider, by its subject, to a person who has no more rights than you',
  access: 'people:write',
  status: 201,
  params: nameParams,
  body: z.strictObject({ person: nameText, subject: nameText }),
  answer: link,
  async handle({ rooms, principal, params, body }) {
    const person = await findPerson(rooms, body.person, principal)
    if (isRefusal(person)) return person
    const asked = { provider: params.name, subject: body.subject, personId: person.id }
    const linked = await rooms.identity.providers.link(asked, principal)
    return isRefusal(linked) ? linked : showLink(linked)
  },
})

const removeLink = route({
  method: 'DELETE',
  path: '/providers/:name/links/:subject',
  summary: 'take the link of an account away; sessions that began with it end',
  access: 'people:write',
  params: linkParams,
  answer: ended,
  handle: ({ rooms, principal, params }) =>
    rooms.identity.providers.unlink({ provider: params.name, subject: params.subject }, principal),
})

const issuerKey = z.object({ issuer: z.string(), key: z.string(), withdrawnAt: moment })
const namedKey = z.strictObject({
  /** As `identity.issuers` has it. */
  issuer: z.string().max(2000),
  /** The `kid`, or the SHA-256 of its SubjectPublicKeyInfo in hex. */
  key: nameText,
})

const showKey = ({ withdrawnAt, ...rest }: WithdrawnKey): z.infer<typeof issuerKey> => ({
  ...rest,
  withdrawnAt: isoTime(withdrawnAt),
})

const withdrawnKeys = route({
  method: 'GET',
  path: '/issuers/keys/withdrawn',
  summary: 'keys of issuers elsewhere that count no longer, newest first',
  access: 'people:read',
  answer: listOf(issuerKey),
  handle: async ({ rooms }) => ({ items: (await rooms.identity.issuerKeys.list()).map(showKey) }),
})

const withdrawKey = route({
  method: 'POST',
  path: '/issuers/keys/withdraw',
  summary: 'trust a key of an issuer elsewhere no longer; what it signed ends at once',
  access: 'people:write',
  body: namedKey,
  /** Whether the issuer publishes it at this moment; null where the issuer cannot be asked. */
  answer: issuerKey.extend({ isPublished: z.boolean().nullable() }),
  async handle({ rooms, principal, body }) {
    const changed = await rooms.identity.issuerKeys.withdraw(body, principal)
    if (isRefusal(changed)) return changed
    const { isPublished = null, ...key } = changed
    return { ...showKey(key), isPublished }
  },
})

const restoreKey = route({
  method: 'POST',
  path: '/issuers/keys/restore',
  summary: 'let a key that was withdrawn count again',
  access: 'people:write',
  body: namedKey,
  answer: issuerKey,
  async handle({ rooms, principal, body }) {
    const changed = await rooms.identity.issuerKeys.restore(body, principal)
    return isRefusal(changed) ? changed : showKey(changed)
  },
})

export const providerRoutes = [
  list,
  add,
  remove,
  examine,
  links,
  addLink,
  removeLink,
  withdrawnKeys,
  withdrawKey,
  restoreKey,
]
