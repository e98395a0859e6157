import { Secret } from '#kernel'
import { z } from 'zod'

const port = z.int('expected a whole number').min(0, 'expected at least 0').max(65_535, 'expected at most 65535')

const count = (smallest: number, largest: number) =>
  z
    .int('expected a whole number')
    .min(smallest, `expected at least ${smallest}`)
    .max(largest, `expected at most ${largest}`)

const publicUrl = z.string('expected a text').transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isBare = url?.pathname === '/' && url.search === '' && url.hash === '' && url.username === ''
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
  if (url !== undefined && isBare && url.password === '' && isSafe) return url.origin
  context.addIssue('expected `https://host` or `http://localhost:port`, without a path')
  return z.NEVER
})

function isLoopback(hostname: string): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}

const databaseUrl = z.string('expected a text').transform((text, context) => {
  const isKnown = text.startsWith('sqlite:') || (/^postgres(ql)?:\/\//.test(text) && URL.canParse(text))
  if (isKnown) return new Secret(text)
  context.addIssue('expected `sqlite:`, `sqlite:/path/to/file` or `postgres://user@host/name`')
  return z.NEVER
})

const yesOrNo = z.boolean('expected true or false')

const listener = (defaultPort: number, who: string) =>
  z
    .strictObject({
      port: port.default(defaultPort).meta({ description: `Port of the ${who}; 0 picks a free one.` }),
      publicUrl: publicUrl.optional().meta({
        description: `Address of the ${who} as its clients know it; \`http://localhost:<port>\` unless given.`,
      }),
    })
    .prefault({})

const shape = z.strictObject({
  dataDir: z
    .string('expected a text')
    .min(1, 'expected a path')
    .meta({
      description:
        'Folder for keys, the ledger and the SQLite file, with mode 0700. `$XDG_DATA_HOME/castellan` or ' +
        '`~/.local/share/castellan` unless given.',
    }),
  gateway: listener(8090, 'listener for MCP clients'),
  admin: listener(8091, 'listener for the admin API and pages'),
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
    })
    .prefault({}),
  ledger: z
    .strictObject({
      origin: z
        .string('expected a text')
        .regex(/^[\x21-\x2a\x2c-\x7e]{1,255}$/, 'expected up to 255 printable characters without space or plus')
        .default('castellan')
        .meta({ description: 'Name of this ledger in its signed tree heads; unique in an organisation.' }),
    })
    .prefault({}),
  demo: yesOrNo.default(true).meta({ description: 'Put the demo upstream and its roles into an empty database.' }),
})

/** The whole configuration: shape, defaults and documentation of every key. */
export const configSchema = shape.transform((config, context) => {
  if (config.gateway.port !== 0 && config.gateway.port === config.admin.port) {
    context.addIssue({ code: 'custom', path: ['admin', 'port'], message: 'expected another port than `gateway.port`' })
  }
  return { ...config, gateway: withPublicUrl(config.gateway), admin: withPublicUrl(config.admin) }
})

/** The schema before derived values are filled in, for walking its keys. */
export const configShape = shape

/** A complete and checked configuration. */
export type Config = z.output<typeof configSchema>

function withPublicUrl(given: { port: number; publicUrl?: string | undefined }): { port: number; publicUrl: string } {
  return { port: given.port, publicUrl: given.publicUrl ?? `http://localhost:${given.port}` }
}
