import { z } from 'zod'
import { count, endpoint, host, list, text, yesOrNo } from './fields.ts'

const maxIssuers = 20
const hourSeconds = 3_600
const daySeconds = 24 * hourSeconds

/** Signatures only: none with a shared key, none with SHA-1, none without a key. */
const algorithms = ['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512', 'EdDSA'] as const

const issuerHint = 'expected `https://host/path` or `http://localhost:port/path`, as its tokens write it'

/** Kept as it is written: tokens have to name exactly this. */
const issuer = text.refine((written) => endpoint.safeParse(written).success && !written.includes('?'), issuerHint)

const claimName = text.min(1, 'expected the name of a claim').max(200, 'expected at most 200 characters')
const claimValue = text.min(1, 'expected a text').max(500, 'expected at most 500 characters')
const roleName = text.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'expected the name of a role')
const scope = text.regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'expected a scope, without spaces')
const tokenType = text.regex(/^[a-z0-9!#$&^_.+-]{1,60}$/i, 'expected a type, such as `at+jwt`')
const servedPath = text.regex(
  /^\/(mcp|(servers|bundles)\/[a-z][a-z0-9-]{0,30}\/mcp)$/,
  'expected the path of a server, such as `/servers/books/mcp`',
)

function mapOf<Value extends z.ZodType>(key: z.ZodType<string, string>, value: Value) {
  return z
    .record(key, value, 'expected names with values below them')
    .refine((map) => Object.keys(map).length <= 1_000, {
      message: 'expected at most 1000 of them',
    })
}

function unknownKeys(what: string) {
  return (issue: { code?: string | undefined; keys?: unknown }) =>
    issue.code === 'unrecognized_keys' && Array.isArray(issue.keys)
      ? `\`${String(issue.keys[0])}\` is not a key of ${what}`
      : `expected the keys of ${what}`
}

const claims = z
  .strictObject(
    {
      name: claimName.default('name').meta({ description: 'The claim with the name that is shown of a person.' }),
      groups: claimName.default('groups').meta({
        description:
          'The claim with the groups; `realm_access.roles` is the member `roles` of the claim `realm_access`.',
      }),
      client: claimName.default('client_id').meta({
        description: 'The claim with the id of the client that the token was issued to; `azp` where there is none.',
      }),
    },
    { error: unknownKeys('`claims`') },
  )
  .prefault({})

const mfa = z
  .strictObject(
    {
      amr: list(claimValue)
        .default(['mfa'])
        .meta({ description: 'Methods (`amr`) of which one shows a second factor.' }),
      acr: list(claimValue).default([]).meta({ description: 'Levels (`acr`) that show a second factor.' }),
    },
    { error: unknownKeys('`mfa`') },
  )
  .prefault({})

const oneIssuer = z.strictObject(
  {
    issuer: issuer.meta({ description: 'What its tokens have as `iss`, character by character.' }),
    jwksUri: endpoint.optional().meta({ description: 'Where its keys are; as its metadata says unless given.' }),
    endpointHosts: list(host)
      .default([])
      .meta({ description: 'Further hosts that its metadata may name for its keys, beside its own.' }),
    audiences: mapOf(claimValue, servedPath).default({}).meta({
      description:
        'For an issuer that knows no resource indicators: an audience of its tokens, and the one path it is good for.',
    }),
    algorithms: list(z.enum(algorithms, `expected one of ${algorithms.join(', ')}`), 1)
      .default(['ES256', 'PS256', 'RS256', 'EdDSA'])
      .meta({ description: 'Algorithms that its signatures may have.' }),
    typ: tokenType.default('at+jwt').meta({ description: 'The type of its access tokens.' }),
    claims,
    roles: mapOf(claimValue, list(roleName, 1)).default({}).meta({
      description: 'A group, and the roles that its members have. Groups that are not named give nothing.',
    }),
    scopes: list(scope)
      .default(['mcp'])
      .meta({ description: 'Scopes that a token needs, all of them; `[]` for an issuer that knows none.' }),
    mfa,
    requireMfa: yesOrNo.default(false).meta({ description: 'Refuse tokens that show no second factor.' }),
    signInMaxAgeSeconds: count(60, 90 * daySeconds)
      .optional()
      .meta({
        description: 'How long ago the person may have signed in (`auth_time`); not looked at unless given.',
      }),
    clockSkewSeconds: count(0, 60).default(30).meta({ description: 'How far its clock and this one may be apart.' }),
    tokenMaxAgeSeconds: count(60, 30 * daySeconds)
      .default(daySeconds)
      .meta({ description: 'How long after it was issued a token is good at most, whatever its own end.' }),
    keysFreshSeconds: count(30, daySeconds)
      .default(300)
      .meta({ description: 'How long its keys are used before they are fetched again.' }),
    keysStaleSeconds: count(0, daySeconds).default(hourSeconds).meta({
      description: 'How much longer they are used while they cannot be fetched; then its tokens are refused.',
    }),
  },
  { error: unknownKeys('an issuer') },
)

/** Issuers elsewhere whose access tokens are accepted. */
export const issuersList = z
  .array(oneIssuer, 'expected a list')
  .max(maxIssuers, `expected at most ${maxIssuers}`)
  .refine((all) => new Set(all.map((one) => one.issuer)).size === all.length, 'expected each issuer once')
  .default([])
  .meta({
    description:
      'Authorization servers elsewhere whose signed access tokens are accepted, and the roles that their groups give; ' +
      'the keys of one are in `docs/external-issuers.md`.',
  })
