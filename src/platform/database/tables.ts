import type { Generated } from 'kysely'
import type { PasskeyTables } from './tables/passkeys.ts'
import type { DistrustedPolicyTables } from './tables/distrusted-policies.ts'
import type { FlowLabelTables } from './tables/flow-labels.ts'
import type { BudgetTables } from './tables/budgets.ts'
import type { ClassificationTables } from './tables/classifications.ts'
import type { PolicyChangeTables } from './tables/policy-changes.ts'
import type { ScimTables } from './tables/scim.ts'
import type { ServiceAccountTables } from './tables/service-accounts.ts'
import type { IssuerKeyTables } from './tables/issuer-keys.ts'
import type { RemedyTables } from './tables/remedies.ts'
import type { ReviewTables } from './tables/reviews.ts'
import type { StepUpTables } from './tables/step-ups.ts'

/** A 0 or 1: both dialects keep claims as integers. */
export type Flag = 0 | 1

/** Wall-clock milliseconds since the epoch. */
export type Milliseconds = number

/** JSON as text; the room that owns the table reads and writes it. */
export type JsonText = string

export interface PeopleTable {
  id: string
  /** Canonical: NFKC, lower case, trimmed. Unique. */
  name: string
  display_name: string
  status: 'active' | 'suspended'
  /** PHC string; null until the person has chosen a password. */
  password_hash: string | null
  created_at: Milliseconds
  updated_at: Milliseconds
  /** When a session with the role admin last began. */
  administered_at: Generated<Milliseconds | null>
  /** A program has no way to sign in; see `service_accounts`. */
  kind: Generated<'person' | 'service'>
}

export interface SecondFactorsTable {
  id: string
  person_id: string
  kind: 'totp'
  sealed_secret: string
  confirmed_at: Milliseconds | null
  /** The last time step whose code was accepted: a code counts once. */
  last_step: number | null
}

export interface RecoveryCodesTable {
  id: string
  person_id: string
  code_hash: string
  used_at: Milliseconds | null
}

export interface SessionsTable {
  id: string
  token_hash: string
  person_id: string
  factors: JsonText
  address: string
  agent: string
  created_at: Milliseconds
  last_seen_at: Milliseconds
  expires_at: Milliseconds
  ended_at: Milliseconds | null
  ended_reason: string | null
}

export interface AccessTokensTable {
  id: string
  token_hash: string
  person_id: string
  label: string
  resource: string
  factors: JsonText
  created_at: Milliseconds
  expires_at: Milliseconds
  revoked_at: Milliseconds | null
  revoked_by: string | null
  /** Who made it for a service account; null where its holder did. */
  minted_by: Generated<string | null>
  /** When the factors were proved; null where nobody knows. */
  proved_at: Generated<Milliseconds | null>
}

export interface EnrolmentsTable {
  id: string
  token_hash: string
  kind: 'setup' | 'invitation'
  person_id: string | null
  roles: JsonText
  expires_at: Milliseconds
  used_at: Milliseconds | null
  created_at: Milliseconds
  created_by: string | null
  sealed_draft: string | null
  attempts: Generated<number>
}

export interface ThrottlesTable {
  key: string
  failures: number
  window_started_at: Milliseconds
  /** 0 when nothing is blocked. */
  blocked_until: Generated<Milliseconds>
}

export interface RolesTable {
  name: string
  /** `[{ permissions: [], resources: [] }]` */
  grants: JsonText
  description: string
  is_shipped: Flag
  /** The name of a person who answers for it. */
  owner: Generated<string | null>
  updated_at: Milliseconds
}

export interface RoleGrantsTable {
  person_id: string
  role: string
  granted_at: Milliseconds
  granted_by: string | null
}

export interface PolicySnapshotsTable {
  version: number
  hash: string
  cedar: string
  created_at: Milliseconds
  created_by: string | null
  /** What it was made from; null of one that was made from roles alone. */
  document: Generated<JsonText | null>
}

export interface HoldsTable {
  id: string
  kind: 'person' | 'client' | 'address' | 'tool' | 'upstream' | 'everything'
  /** A person id, a client id, a network, `<upstream>/<tool>`, `<upstream>`, or empty for everything. */
  subject: string
  reason: string
  placed_by: string
  placed_at: Milliseconds
  expires_at: Milliseconds | null
  lifted_at: Milliseconds | null
  lifted_by: string | null
}

export interface UpstreamsTable {
  name: string
  transport: 'stdio' | 'http'
  /** The argument vector as a JSON array. */
  command: JsonText | null
  /** `{ NAME: value }` */
  environment: JsonText
  created_at: Milliseconds
  created_by: string | null
  is_demo: Flag
}

export interface UpstreamEndpointsTable {
  upstream: string
  /** Unique for its upstream: 8 lower-case letters and digits. */
  id: string
  url: string
  weight: number
  region: string | null
  created_at: Milliseconds
  created_by: string | null
}

export interface BundlesTable {
  name: string
  created_at: Milliseconds
  created_by: string | null
}

export interface BundleMembersTable {
  bundle: string
  upstream: string
  /** In the order in which the members are listed, from 0 on. */
  place: number
}

export interface ToolPinsTable {
  upstream: string
  tool: string
  approved_hash: string | null
  approved_definition: JsonText | null
  approved_at: Milliseconds | null
  approved_by: string | null
  seen_hash: string
  seen_definition: JsonText
  seen_at: Milliseconds
  rejected_hash: string | null
  /** Hashes of the addresses the approval was given for. */
  approved_addresses: JsonText | null
  /** Keys of the warnings that whoever approved accepted. */
  approved_despite: JsonText | null
  /** While set, the approval counts for nothing. */
  quarantined_at: Milliseconds | null
  quarantined_by: string | null
  quarantine_note: string | null
}

export interface OauthClientsTable {
  id: string
  name: string
  registered_by: 'administrator' | 'built-in' | 'metadata-document' | 'registration'
  redirect_hosts: JsonText
  /** What the client registered, its secret included; null when its metadata lie at its own address. */
  sealed_metadata: string | null
  /** The person whose rights a client has that acts for nobody else. */
  person_id: string | null
  created_at: Milliseconds
  created_by: string | null
  /** The address it was registered from. */
  created_from: string | null
  approved_at: Milliseconds | null
  approved_by: string | null
  blocked_at: Milliseconds | null
  blocked_by: string | null
  /** Resources that it may exchange tokens for; null of a client that may not. */
  exchange_resources: JsonText | null
}

export interface OauthGrantsTable {
  id: string
  person_id: string
  client_id: string
  client_name: string
  resource: string
  /** Separated by spaces. */
  scopes: string
  factors: JsonText
  created_at: Milliseconds
  expires_at: Milliseconds
  ended_at: Milliseconds | null
  ended_by: string | null
  ended_reason: string | null
  /** What it rests on and who acts, of a token that was exchanged for another. */
  exchanged: JsonText | null
  /** When the factors were proved; null where nobody knows. */
  proved_at: Generated<Milliseconds | null>
}

/** Codes, tokens and open requests of the authorization server. */
export interface OauthArtifactsTable {
  kind: string
  id_hash: string
  /** Names it in the ledger. */
  public_id: string
  grant_id: string | null
  client_id: string | null
  person_id: string | null
  /** Of a user code. */
  lookup_hash: string | null
  sealed_payload: string
  created_at: Milliseconds
  expires_at: Milliseconds
  consumed_at: Milliseconds | null
  /** When whoever consumed it was answered. */
  answered_at: Milliseconds | null
  ended_at: Milliseconds | null
}

export interface OauthKeysTable {
  name: string
  sealed: string
  created_at: Milliseconds
}

export interface OauthReplaysTable {
  id_hash: string
  expires_at: Milliseconds
}

/** What the newest token of a person tells, one row for each client it was issued to. */
export interface ExternalSubjectsTable {
  person_id: string
  client_id: string
  issuer: string
  subject: string
  /** Of what roles are mapped from. */
  claims_hash: string
  /** Of the first token that told so, in seconds since the epoch. */
  issued_at: number
}

/** An OpenID provider that people sign in at. */
export interface ProvidersTable {
  name: string
  title: string
  issuer: string
  client_id: string
  client_authentication: string
  sealed_secret: string | null
  settings: JsonText
  created_at: Milliseconds
  created_by: string | null
}

/** Who is whom at a provider. */
export interface ProviderIdentitiesTable {
  issuer: string
  subject: string
  person_id: string
  /** The provider of the last sign-in. */
  provider: string
  /** Roles that the groups of the last sign-in gave, sorted. */
  roles: JsonText
  created_at: Milliseconds
  created_by: string | null
  last_seen_at: Milliseconds | null
}

/** Sign-ins that are under way. */
export interface ProviderAttemptsTable {
  id_hash: string
  provider: string
  step: 'callback' | 'second-factor'
  /** Of the cookie of the browser that began. */
  browser_hash: string
  sealed: string
  expires_at: Milliseconds
}

/** Sessions that began at a provider. */
export interface ProviderSessionsTable {
  session_id: string
  provider: string
  issuer: string
  subject: string
  sid: string | null
  person_id: string
  sealed_id_token: string
  created_at: Milliseconds
}

/** Logouts that providers told of: each token once. */
export interface ProviderLogoutsTable {
  id_hash: string
  issuer: string
  subject: string | null
  sid: string | null
  issued_at: Milliseconds
  expires_at: Milliseconds
}

/** Every table of the database, for typed queries. The same columns and meanings on both dialects. */
export interface Tables
  extends
    FlowLabelTables,
    DistrustedPolicyTables,
    BudgetTables,
    ClassificationTables,
    PolicyChangeTables,
    ScimTables,
    PasskeyTables,
    ServiceAccountTables,
    StepUpTables,
    IssuerKeyTables,
    RemedyTables,
    ReviewTables {
  people: PeopleTable
  second_factors: SecondFactorsTable
  recovery_codes: RecoveryCodesTable
  sessions: SessionsTable
  access_tokens: AccessTokensTable
  enrolments: EnrolmentsTable
  throttles: ThrottlesTable
  roles: RolesTable
  role_grants: RoleGrantsTable
  policy_snapshots: PolicySnapshotsTable
  holds: HoldsTable
  upstreams: UpstreamsTable
  upstream_endpoints: UpstreamEndpointsTable
  tool_pins: ToolPinsTable
  bundles: BundlesTable
  bundle_members: BundleMembersTable
  external_subjects: ExternalSubjectsTable
  oauth_clients: OauthClientsTable
  oauth_grants: OauthGrantsTable
  oauth_artifacts: OauthArtifactsTable
  oauth_keys: OauthKeysTable
  oauth_replays: OauthReplaysTable
  providers: ProvidersTable
  provider_identities: ProviderIdentitiesTable
  provider_attempts: ProviderAttemptsTable
  provider_sessions: ProviderSessionsTable
  provider_logouts: ProviderLogoutsTable
}
