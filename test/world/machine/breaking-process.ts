import { sanitise } from '#audit'
import { createTelemetry, installLastResort } from '#platform/telemetry'

/** Breaks in a way that nobody catches. Argument: `exception`, `rejection`, or `unrecordable`: the record never ends. */
const [kind = 'exception'] = process.argv.slice(2)
const settings = { logLevel: 'info', logFormat: 'json', traceSampling: 0 } as const
const telemetry = await createTelemetry({ settings, version: '0.0.0-test', redact: sanitise })
installLastResort({
  log: telemetry.log,
  flushLog: () => telemetry.flushLog(),
  record: (id) => {
    if (kind === 'unrecordable') return new Promise(() => undefined)
    process.stdout.write(`${JSON.stringify({ recorded: id })}\n`)
    return Promise.resolve()
  },
  exit: (code) => process.exit(code),
})
const broken = new Error('out of order')
setInterval(() => undefined, 1_000)
if (kind === 'exception')
  setTimeout(() => {
    throw broken
  })
else void Promise.reject(broken)
