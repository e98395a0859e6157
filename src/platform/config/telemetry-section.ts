import { Secret } from '#kernel'
import { z } from 'zod'
import { count, endpoint, text } from './fields.ts'
import { weaknessOf } from './weak-secret.ts'

const tokenChars = 32

const metricsToken = text.transform((written, context) => {
  const weakness = /^[A-Za-z0-9._~+/=-]*$/.test(written)
    ? weaknessOf(written, { leastChars: tokenChars })
    : 'has characters that a bearer token cannot have'
  if (weakness === undefined) return new Secret(written)
  context.addIssue(`the token ${weakness}; \`openssl rand -hex 32\` makes one`)
  return z.NEVER
})

const headerPattern = /^([A-Za-z0-9!#$%&'*+.^_`|~-]{1,128})=([\x20-\x7e]{1,4096})$/

const otlpHeaders = text.transform((written, context) => {
  const values = written.split(',').map((pair) => headerPattern.exec(pair.trim())?.[2])
  if (values.includes(undefined)) {
    context.addIssue('expected `name=value,name=value`')
    return z.NEVER
  }
  const weakness = values.map((value) => weaknessOf(value ?? '', { leastChars: 1 })).find((one) => one !== undefined)
  if (weakness === undefined) return new Secret(written)
  context.addIssue(`a value ${weakness}; use the one that the receiver gave out`)
  return z.NEVER
})

/** What Castellan tells about its own running. */
export const telemetrySection = z
  .strictObject({
    logLevel: z
      .enum(['debug', 'info', 'warn', 'error'], 'expected `debug`, `info`, `warn` or `error`')
      .default('info')
      .meta({ description: 'The least weight of a log line that is written.' }),
    logFormat: z
      .enum(['auto', 'json', 'pretty'], 'expected `auto`, `json` or `pretty`')
      .default('auto')
      .meta({ description: 'Log lines as JSON or for eyes; `auto` is for eyes on a terminal and JSON elsewhere.' }),
    otlpEndpoint: endpoint
      .optional()
      .meta({ description: 'Base address of an OpenTelemetry receiver over HTTP; nothing is sent unless given.' }),
    otlpHeaders: otlpHeaders.optional().meta({
      description: 'Headers for the OpenTelemetry receiver, as `name=value,name=value`.',
      isSecret: true,
    }),
    traceSampling: count(0, 100)
      .default(100)
      .meta({ description: 'Share of the exchanges that are traced, in percent.' }),
    metricsToken: metricsToken.optional().meta({
      description: `Bearer token with which \`/metrics\` of the admin listener is read; at least ${tokenChars} characters.`,
      isSecret: true,
    }),
  })
  .prefault({})
