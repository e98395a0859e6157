import { CliFailure } from '../failure.ts'
import type { AdminClient } from './admin-client.ts'

/** The admin API as this program uses it: every request and answer shape is in this file. */

/** ISO 8601 in UTC. */
type Moment = string

export interface Person {
  readonly id: string
  readonly name: string
  readonly displayName: string
  readonly kind: 'person' | 'service'
  readonly status: 'active' | 'suspended'
  readonly roles: readonly string[]
  readonly createdAt: Moment
}

export interface Me {
  readonly person: Person
  /** Where this castellan's gateway is reached; resources begin with it. */
  readonly gatewayUrl: string
}

export interface SignedIn {
  readonly token: string
  readonly session: { readonly id: string; readonly expiresAt: Moment }
  readonly person: Person
}

export interface TokenView {
  readonly id: string
  readonly label: string
  readonly resource: string
  readonly personId: string
  readonly createdAt: Moment
  readonly expiresAt: Moment
  readonly revokedAt: Moment | null
}

export interface Grant {
  readonly permissions: readonly string[]
  readonly resources: readonly string[]
  readonly stepUp?: true
  readonly when?: string
}

export interface Role {
  readonly name: string
  readonly description: string
  readonly owner?: string
  readonly grants: readonly Grant[]
  readonly isShipped: boolean
}

export interface Upstream {
  readonly name: string
  readonly transport: 'stdio' | 'http'
  readonly command: readonly string[] | null
  readonly url: string | null
  readonly environmentNames: readonly string[]
  readonly isDemo: boolean
}

export interface Endpoint {
  readonly id: string
  readonly url: string
  readonly weight: number
  readonly region: string | null
  readonly isHealthy: boolean
  readonly breaker: 'closed' | 'open' | 'half-open'
  readonly waitSeconds: number
  readonly callsUnderWay: number
}

export interface Reason {
  readonly kind: string
  readonly weight: 'note' | 'word' | 'never'
  readonly key: string
  readonly says: string
}

/** A tool as it was seen; what a server before this program leaves out is absent. */
/** What an administrator says of a tool, or of a server as a whole. */
export interface Classification {
  readonly effect: string
  readonly sensitivity: string
  readonly dataClasses: readonly string[]
  readonly owner: string
  readonly bringsUntrusted: boolean
  readonly isOutlet: boolean
}

export interface Pin {
  /** What counts for rules. */
  readonly classification: Classification
  /** What was said of the tool itself; null when nothing was. */
  readonly classifiedAs: Classification | null
  readonly suggestion: Classification
  readonly tool: string
  readonly status: 'approved' | 'new' | 'changed' | 'quarantined'
  readonly reasons?: readonly Reason[]
  readonly definition?: { readonly description?: string; readonly inputSchema?: unknown }
  readonly approvedHash: string | null
  readonly seenHash: string
  readonly seenAt?: Moment
  readonly approvedAt: Moment | null
  readonly approvedBy: string | null
  readonly approvedByName?: string | null
  readonly approvedDespite?: readonly string[]
  readonly quarantine?: { readonly at: Moment; readonly by: string; readonly note: string | null } | null
}

export interface Change {
  readonly pointer: string
  readonly kind: 'added' | 'removed' | 'changed'
  readonly from?: unknown
  readonly to?: unknown
  readonly words?: readonly { readonly kind: 'same' | 'removed' | 'added'; readonly text: string }[]
}

export interface ToolDifference extends Pin {
  readonly changes?: readonly Change[]
  readonly isComplete?: boolean
}

export interface Approval {
  readonly tools: readonly string[]
  readonly hashes: Readonly<Record<string, string>>
  readonly despite?: Readonly<Record<string, readonly string[]>>
  readonly classifications?: Readonly<Record<string, Classification>>
}

export interface Bundle {
  readonly name: string
  readonly upstreams: readonly string[]
  readonly createdAt: Moment
  readonly createdBy: string | null
}

export type HoldKind = 'person' | 'client' | 'address' | 'tool' | 'upstream' | 'everything'

export interface Hold {
  readonly id: string
  readonly kind: HoldKind
  readonly subject: string
  readonly reason: string
  readonly placedBy: string
  readonly placedAt: Moment
  readonly expiresAt: Moment | null
  readonly liftedAt: Moment | null
  readonly liftedBy: string | null
}

export interface Entry {
  readonly seq: number
  readonly id: string
  readonly time: Moment
  readonly event: string
  readonly outcome: string
  readonly exchange?: string
  readonly principal?: { readonly id: string; readonly name: string }
  readonly address?: string
  readonly target?: { readonly upstream: string; readonly kind: string; readonly name?: string }
  readonly refusal?: string
  readonly durationMs?: number
  readonly bytes?: number
  readonly details?: Readonly<Record<string, unknown>>
}

export interface EntryQuery {
  readonly after?: number
  readonly before?: number
  readonly limit?: number
  readonly event?: string
  readonly person?: string
  readonly exchange?: string
  readonly refusal?: string
}

export interface Enrolment {
  readonly kind: string
  readonly name?: string
  readonly secondFactor: 'required' | 'optional'
}

export interface NewUpstream {
  readonly name: string
  readonly command?: readonly string[]
  readonly url?: string
  readonly environment?: Readonly<Record<string, string>>
}

export interface NewHold {
  readonly kind: HoldKind
  /** A person's name or id, a client, an address or network, `<upstream>/<tool>`, an upstream, or nothing. */
  readonly subject: string
  readonly reason: string
  readonly expiresAt?: Moment
}

export interface Reloaded {
  readonly outcome: 'applied' | 'unchanged' | 'refused'
  readonly changed: readonly string[]
  readonly needRestart: readonly string[]
  readonly problem?: string | null | undefined
  readonly hint?: string | null | undefined
}

/** Where the admin API begins. */
export const base = '/api/v1'

/** A name as one step of a path: it cannot leave its place. @throws CliFailure `cli.bad-name` */
export function segment(name: string): string {
  // WHY: URLs resolve these before they are sent, escaped or not.
  if (name !== '' && name !== '.' && name !== '..') return encodeURIComponent(name)
  throw new CliFailure(
    'notFound',
    'cli.bad-name',
    `\`${name}\` is not the name of anything`,
    'list what there is first',
  )
}

export function itemsOf<Item>(answer: unknown): readonly Item[] {
  const { items } = (answer ?? {}) as { items?: unknown }
  return Array.isArray(items) ? (items as Item[]) : []
}

function enrolmentApi({ call }: AdminClient) {
  return {
    begin: async (token: string) => (await call('POST', `${base}/enrolments/begin`, { body: { token } })) as Enrolment,
    choose: async (body: { token: string; name: string; password: string }) =>
      (await call('POST', `${base}/enrolments/choose`, { body })) as { otpauthUri: string; secret: string },
    finish: async (body: { token: string; code?: string }) =>
      (await call('POST', `${base}/enrolments/finish`, { body })) as {
        principalName: string
        recoveryCodes: readonly string[]
      },
  }
}

function sessionApi({ call }: AdminClient) {
  return {
    signIn: async (body: { name: string; password: string; code?: string }) =>
      (await call('POST', `${base}/sign-in`, { body })) as SignedIn,
    signOut: () => call('POST', `${base}/sign-out`, { body: {} }),
    me: async () => (await call('GET', `${base}/me`)) as Me,
  }
}

function tokenApi({ call }: AdminClient) {
  return {
    list: async (query: { all?: string }) => itemsOf<TokenView>(await call('GET', `${base}/tokens`, { query })),
    create: async (body: { label: string; resource: string; ttlSeconds: number }) =>
      (await call('POST', `${base}/tokens`, { body })) as { token: string; view: TokenView },
    revoke: (id: string) => call('DELETE', `${base}/tokens/${segment(id)}`),
  }
}

function peopleApi({ call }: AdminClient) {
  const path = (person: string, rest = '') => `${base}/people/${segment(person)}${rest}` as const
  return {
    list: async () => itemsOf<Person>(await call('GET', `${base}/people`)),
    invite: async (body: { name: string; displayName?: string; roles: readonly string[] }) =>
      (await call('POST', `${base}/people`, { body })) as { token: string; url: string; expiresAt: Moment },
    find: async (person: string) => (await call('GET', path(person))) as Person,
    suspend: (person: string) => call('POST', path(person, '/suspend'), { body: {} }),
    resume: (person: string) => call('POST', path(person, '/resume'), { body: {} }),
    signOut: (person: string) => call('POST', path(person, '/sign-out'), { body: {} }),
    grant: (person: string, role: string) => call('PUT', path(person, `/roles/${segment(role)}`), { body: {} }),
    revoke: (person: string, role: string) => call('DELETE', path(person, `/roles/${segment(role)}`)),
  }
}

function roleApi({ call }: AdminClient) {
  return {
    list: async () => itemsOf<Role>(await call('GET', `${base}/roles`)),
    put: (name: string, body: { description: string; grants: readonly Grant[] }) =>
      call('PUT', `${base}/roles/${segment(name)}`, { body }),
    remove: (name: string) => call('DELETE', `${base}/roles/${segment(name)}`),
  }
}

function upstreamApi({ call }: AdminClient) {
  const path = (name: string, rest = '') => `${base}/upstreams/${segment(name)}${rest}` as const
  return {
    list: async () => itemsOf<Upstream>(await call('GET', `${base}/upstreams`)),
    add: async (body: NewUpstream) => (await call('POST', `${base}/upstreams`, { body })) as Upstream,
    remove: (name: string) => call('DELETE', path(name)),
    review: async (name: string) => itemsOf<Pin>(await call('POST', path(name, '/review'), { body: {} })),
    differences: async (name: string, query: { tool?: string; all?: string }) =>
      itemsOf<ToolDifference>(await call('GET', path(name, '/differences'), { query })),
    approve: (name: string, body: Approval) => call('POST', path(name, '/tools/approve'), { body }),
    classify: (name: string, body: { tools: readonly string[]; classification: Classification }) =>
      call('POST', path(name, '/tools/classify'), { body }),
    classifyServer: (name: string, body: Classification) => call('PUT', path(name, '/classification'), { body }),
    quarantine: (name: string, body: { tools: readonly string[]; note?: string }) =>
      call('POST', path(name, '/tools/quarantine'), { body }),
    reject: (name: string, body: { tools: readonly string[] }) => call('POST', path(name, '/tools/reject'), { body }),
  }
}

function endpointApi({ call }: AdminClient) {
  const path = (upstream: string, rest = '') => `${base}/upstreams/${segment(upstream)}/endpoints${rest}` as const
  return {
    list: async (upstream: string) => itemsOf<Endpoint>(await call('GET', path(upstream))),
    add: async (upstream: string, body: { url: string; weight?: number; region?: string }) =>
      (await call('POST', path(upstream), { body })) as { id: string },
    check: async (upstream: string) => itemsOf<Endpoint>(await call('POST', path(upstream, '/check'), { body: {} })),
    remove: (upstream: string, id: string) => call('DELETE', path(upstream, `/${segment(id)}`)),
  }
}

function bundleApi({ call }: AdminClient) {
  return {
    list: async () => itemsOf<Bundle>(await call('GET', `${base}/bundles`)),
    add: async (body: { name: string; upstreams: readonly string[] }) =>
      (await call('POST', `${base}/bundles`, { body })) as Bundle,
    remove: (name: string) => call('DELETE', `${base}/bundles/${segment(name)}`),
  }
}

function holdApi({ call }: AdminClient) {
  return {
    list: async (query: { ended?: string } = {}) => itemsOf<Hold>(await call('GET', `${base}/holds`, { query })),
    place: async (body: NewHold) => (await call('POST', `${base}/holds`, { body })) as Hold,
    lift: (id: string) => call('DELETE', `${base}/holds/${segment(id)}`),
  }
}

function auditApi({ call }: AdminClient) {
  return {
    read: async (query: EntryQuery, waitSeconds?: number) =>
      itemsOf<Entry>(
        await call('GET', `${base}/audit`, {
          query: { ...query, ...(waitSeconds === undefined ? {} : { waitSeconds }) },
          ...(waitSeconds === undefined ? {} : { waitSeconds }),
        }),
      ),
    state: async () => (await call('GET', `${base}/audit/state`)) as { isWritable: boolean; size: number },
    checkpoint: async () =>
      (await call('GET', `${base}/audit/checkpoint`)) as { checkpoint: string; publicKey: string },
    proof: async (seq: number) => (await call('GET', `${base}/audit/proof`, { query: { seq } })) as { proof: string },
    consistency: async (from: number) =>
      (await call('GET', `${base}/audit/consistency`, { query: { from } })) as { proof: string },
  }
}

function configApi({ call }: AdminClient) {
  return { reload: async () => (await call('POST', `${base}/config/reload`, { body: {} })) as Reloaded }
}

/** The admin API of one connection, by noun. */
export function adminApi(client: AdminClient) {
  return {
    enrolments: enrolmentApi(client),
    session: sessionApi(client),
    tokens: tokenApi(client),
    people: peopleApi(client),
    roles: roleApi(client),
    upstreams: upstreamApi(client),
    endpoints: endpointApi(client),
    bundles: bundleApi(client),
    holds: holdApi(client),
    audit: auditApi(client),
    config: configApi(client),
    readiness: () => client.call('GET', '/readyz', { query: { verbose: '' } }),
  }
}

export type AdminApi = ReturnType<typeof adminApi>
