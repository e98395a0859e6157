import { writeSync } from 'node:fs'
import { sanitise } from '#audit'
import { createTelemetry } from '#platform/telemetry'

/**
 * Logs far more than a pipe holds, to a reader that may not read, and says on standard error how long the loop was
 * kept waiting at most. Then it closes its log and ends.
 */
// WHY: once it was looked at, Node does not wait when it writes to a pipe that is full; `castellan up` always looks.
const isTerminal = process.stdout.isTTY
const settings = { logLevel: 'info', logFormat: 'json', traceSampling: 0 } as const
const telemetry = await createTelemetry({ settings, version: '0.0.0-test', redact: sanitise })
let last = performance.now()
let longest = 0
const timer = setInterval(() => {
  const now = performance.now()
  longest = Math.max(longest, now - last)
  last = now
}, 5)
const filling = 'x'.repeat(1_000)
let said = 0
await new Promise<void>((resolve) => {
  function say(): void {
    for (let index = 0; index < 50; index += 1)
      telemetry.log.info('test.noted', filling, { said: (said += 1), isTerminal })
    if (said < 20_000) setImmediate(say)
    else resolve()
  }
  say()
})
clearInterval(timer)
writeSync(2, `${JSON.stringify({ longest, said, rss: process.memoryUsage().rss })}\n`)
await new Promise((resolve) => setTimeout(resolve, 1_500))
await telemetry.close()
process.exit(0)
