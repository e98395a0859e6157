import { z } from 'zod'
import { databaseUrl } from './database-url.ts'
import { count, path, text, yesOrNo } from './fields.ts'
import { issuersList } from './issuers-section.ts'
import { limitProblems, limitsSection } from './limits-section.ts'
import { complete, listenerProblems, listenerSection } from './listener-section.ts'
import { oauthSection } from './oauth-section.ts'
import { telemetrySection } from './telemetry-section.ts'
import { policySection } from './policy-section.ts'
import { upstreamsSection } from './upstreams-section.ts'

const shape = z.strictObject({
  dataDir: path.meta({
    description:
      'Folder for keys, the ledger and the SQLite file, with mode 0700. `$XDG_DATA_HOME/castellan` or ' +
      '`~/.local/share/castellan` unless given.',
    isPath: true,
  }),
  gateway: listenerSection({
    port: 8090,
    allowedNetworks: ['0.0.0.0/0', '::/0'],
    who: 'listener for MCP clients',
  }),
  admin: listenerSection({
    port: 8091,
    allowedNetworks: ['127.0.0.0/8', '::1/128'],
    who: 'listener for the admin API and pages',
  }),
  database: z
    .strictObject({
      url: databaseUrl.prefault('sqlite:').meta({
        description:
          'A file in the data folder (`sqlite:`), another file (`sqlite:/path`) or `postgres://user@host/name`.',
        isSecret: true,
      }),
    })
    .prefault({}),
  identity: z
    .strictObject({
      sessionHours: count(1, 24).default(8).meta({ description: 'A session ends this long after sign-in, in hours.' }),
      sessionIdleMinutes: count(1, 1_440)
        .default(30)
        .meta({ description: 'A session ends after this long without a request, in minutes.' }),
      secondFactor: z
        .enum(['required', 'optional'], 'expected `required` or `optional`')
        .default('required')
        .meta({ description: 'Whether a person may sign in with a password alone.' }),
      accessTokenDays: count(1, 365)
        .default(30)
        .meta({ description: 'The longest life an access token can be given, in days.' }),
      serviceAccountDays: count(1, 3_650)
        .default(366)
        .meta({ description: 'The longest time for which a service account can be made or renewed, in days.' }),
      sessionsPerPerson: count(1, 1_000)
        .default(20)
        .meta({ description: 'How many sessions a person may have at a time; one more ends the oldest.' }),
      administratorsNeedPasskey: yesOrNo.default(false).meta({
        description: 'Whether a person with the role `admin` who has no passkey can sign in only to register one.',
      }),
      passkeyDomain: text
        .toLowerCase()
        .regex(
          /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
          'expected a domain, such as `example.com`',
        )
        .optional()
        .meta({
          description:
            'The domain that passkeys are made for: the host of `gateway.publicUrl`, unless it is given, or a domain above ' +
            'it. Passkeys that were made for another domain stop working.',
        }),
      issuers: issuersList,
    })
    .prefault({}),
  oauth: oauthSection,
  limits: limitsSection,
  upstreams: upstreamsSection,
  policy: policySection,
  ledger: z
    .strictObject({
      origin: text
        .regex(/^[\x21-\x2a\x2c-\x7e]{1,255}$/, 'expected up to 255 printable characters without space or plus')
        .default('castellan')
        .meta({ description: 'Name of this ledger in its signed tree heads; unique in an organisation.' }),
    })
    .prefault({}),
  telemetry: telemetrySection,
  demo: yesOrNo.default(true).meta({ description: 'Put the demo upstream and its roles into an empty database.' }),
})

/** The whole configuration: shape, defaults and documentation of every key. */
export const configSchema = shape.transform((config, context) => {
  const problems = [
    ...listenerProblems('gateway', config.gateway),
    ...listenerProblems('admin', config.admin),
    ...limitProblems(config.limits),
  ]
  for (const problem of problems) context.addIssue({ code: 'custom', ...problem })
  const own = complete(config.gateway).publicUrl
  const at = config.identity.issuers.findIndex(({ issuer }) => issuer.replace(/\/$/, '') === own)
  if (at !== -1) {
    const path = ['identity', 'issuers', at, 'issuer']
    context.addIssue({ code: 'custom', path, message: 'expected another issuer than this gateway itself' })
  }
  const { hostname } = new URL(complete(config.gateway).publicUrl)
  const { passkeyDomain = hostname } = config.identity
  if (hostname !== passkeyDomain && !hostname.endsWith(`.${passkeyDomain}`)) {
    const message = `expected \`${hostname}\` or a domain above it`
    context.addIssue({ code: 'custom', path: ['identity', 'passkeyDomain'], message })
  }
  if (config.gateway.port !== 0 && config.gateway.port === config.admin.port) {
    context.addIssue({ code: 'custom', path: ['admin', 'port'], message: 'expected another port than `gateway.port`' })
  }
  const identity = { ...config.identity, passkeyDomain }
  return { ...config, identity, gateway: complete(config.gateway), admin: complete(config.admin) }
})

/** The schema before derived values are filled in, for walking its keys. */
export const configShape = shape

/** A complete and checked configuration. */
export type Config = z.output<typeof configSchema>
