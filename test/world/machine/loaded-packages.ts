import { registerHooks } from 'node:module'

/** Starts telemetry and says which packages were loaded for it. Argument: an address for OTLP, or none. */
const [otlpEndpoint] = process.argv.slice(2)
const seen = new Set<string>()
registerHooks({
  resolve(specifier, context, next) {
    const [, name] = /^(@[^/]+\/[^/]+|[a-z][^/:]*)/.exec(specifier) ?? []
    if (name !== undefined) seen.add(name)
    return next(specifier, context)
  },
})
const { sanitise } = await import('#audit')
const { createTelemetry } = await import('#platform/telemetry')
const settings = { logLevel: 'error', logFormat: 'json', traceSampling: 100, otlpEndpoint } as const
const telemetry = await createTelemetry({ settings, version: '0.0.0-test', redact: sanitise })
await telemetry.prometheus()
process.stdout.write(`${JSON.stringify([...seen])}\n`)
await telemetry.close()
