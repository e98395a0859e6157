import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createTestTerminal } from '../../../test/world/terminal.ts'
import { runCli } from '../run.ts'

const setupUrl = 'http://localhost:8091/setup#cse_secret'

/** An installation that starts and stops as it is told. */
function createInstallation(options: { setupUrl?: string; unfinished?: number } = { setupUrl }) {
  const drained = Promise.withResolvers<void>()
  const seen = { stops: 0, gatewayPort: 0, reloads: 0 }
  return {
    seen,
    drain: () => drained.resolve(),
    up: (loaded: { config: { gateway: { port: number } } }) => {
      seen.gatewayPort = loaded.config.gateway.port
      return Promise.resolve({
        gatewayUrl: 'http://localhost:8090',
        adminUrl: 'http://localhost:8091',
        dataDir: '/srv/castellan',
        startedInMs: 812,
        ...options,
        unfinishedCount: () => options.unfinished ?? 0,
        reload() {
          seen.reloads += 1
          const nothing = { changed: [], needRestart: [] }
          const refused = { outcome: 'refused', ...nothing, problem: 'no such key', hint: 'look' } as const
          const applied = { outcome: 'applied', changed: ['limits.openStreams'], needRestart: ['demo'] } as const
          return seen.reloads === 1 ? Promise.resolve(applied) : Promise.resolve(refused)
        },
        stop() {
          seen.stops += 1
          return drained.promise
        },
      })
    },
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(5)
}

test('the first screen has the data folder, the one-use link and three commands to go on with', async () => {
  const { up, drain } = createInstallation()
  const terminal = createTestTerminal({ isTTY: true, environment: { NO_COLOR: '1' } })
  const running = runCli(['up'], { up, terminal })
  await until(() => terminal.err().includes('Ctrl-C'))
  const screen = terminal.out()
  expect(screen).toContain('/srv/castellan')
  expect(screen).toContain(setupUrl)
  for (const command of ['castellan connect claude-code', 'castellan demo call', 'castellan audit tail']) {
    expect(screen).toContain(command)
  }
  terminal.signal('SIGINT')
  drain()
  expect(await running).toBe(0)
})

test.each([
  [['up', '--json'], { isTTY: true }],
  [['up'], { isTTY: true, environment: { CASTELLAN_TELEMETRY__LOG_FORMAT: 'json' } }],
])('with a log for machines, all of %j on a terminal is for machines', async (argv, options) => {
  const { up, drain } = createInstallation()
  const terminal = createTestTerminal(options)
  const running = runCli(argv, { up, terminal })
  await until(() => terminal.out().endsWith('\n'))
  const line = JSON.parse(terminal.out()) as Record<string, unknown>
  expect(line).toMatchObject({ level: 'info', 'event.name': 'castellan.ready', msg: 'ready', event: 'ready' })
  expect(new Date(String(line['time'])).toISOString()).toBe(line['time'])
  terminal.signal('SIGTERM')
  drain()
  expect(await running).toBe(0)
})

test('with a log for eyes the first screen is for eyes, too', async () => {
  const { up, drain } = createInstallation()
  const terminal = createTestTerminal({ environment: { CASTELLAN_TELEMETRY__LOG_FORMAT: 'pretty' } })
  const running = runCli(['up'], { up, terminal })
  await until(() => terminal.out().includes('castellan audit tail'))
  expect(terminal.out()).not.toContain('{')
  terminal.signal('SIGTERM')
  drain()
  expect(await running).toBe(0)
})

test('for a reader that is no terminal it is one JSON line', async () => {
  const { up, drain, seen } = createInstallation()
  const terminal = createTestTerminal()
  const running = runCli(['up', '--gateway-port', '9090'], { up, terminal })
  await until(() => terminal.out().endsWith('\n'))
  expect(JSON.parse(terminal.out())).toMatchObject({
    event: 'ready',
    dataDir: '/srv/castellan',
    setupUrl,
    setupLinkFile: '/srv/castellan/setup-link',
    startedInMs: 812,
  })
  expect(seen.gatewayPort).toBe(9090)
  terminal.signal('SIGTERM')
  drain()
  expect(await running).toBe(0)
})

test.each([{ isTTY: true }, {}])('with --no-setup-link the secret is in no output: %j', async (options) => {
  const { up, drain } = createInstallation()
  const terminal = createTestTerminal(options)
  const running = runCli(['up', '--no-setup-link'], { up, terminal })
  await until(() => terminal.out().includes('/srv/castellan/setup-link'))
  terminal.signal('SIGTERM')
  drain()
  await running
  expect(terminal.out() + terminal.err()).not.toContain('cse_secret')
})

test('with an admin there is no talk of set-up', async () => {
  const { up, drain } = createInstallation({})
  const terminal = createTestTerminal({ isTTY: true })
  const running = runCli(['up'], { up, terminal })
  await until(() => terminal.out().includes('demo call'))
  expect(terminal.out()).not.toContain('setup')
  terminal.signal('SIGTERM')
  drain()
  await running
})

test('the first signal drains once, the second ends at once', async () => {
  const { up, drain, seen } = createInstallation()
  const terminal = createTestTerminal()
  const running = runCli(['up'], { up, terminal })
  await until(() => terminal.out() !== '')
  terminal.signal('SIGTERM')
  expect(terminal.exitedWith()).toBeUndefined()
  terminal.signal('SIGINT')
  expect(terminal.exitedWith()).toBe(130)
  expect(seen.stops).toBe(1)
  drain()
  await running
})

test('a port that is none is refused before anything starts', async () => {
  const terminal = createTestTerminal()
  expect(await runCli(['up', '--gateway-port', '65536'], { up: createInstallation().up, terminal })).toBe(1)
  expect(terminal.err()).toContain('cli.bad-number')
})

test('it says how many calls it waits for, and when it has stopped', async () => {
  const { up, drain } = createInstallation({ unfinished: 3 })
  const terminal = createTestTerminal()
  const running = runCli(['up'], { up, terminal })
  await until(() => terminal.out() !== '')
  terminal.signal('SIGTERM')
  await until(() => terminal.err().includes('waiting for 3 calls'))
  drain()
  expect(await running).toBe(0)
  expect(terminal.err()).toMatch(/^stopping: finishing 3 calls first\n(waiting for 3 calls\n)+stopped\n$/m)
})

test('SIGHUP reads the configuration again, and what became of it is told', async () => {
  const { up, drain, seen } = createInstallation({})
  const terminal = createTestTerminal()
  const running = runCli(['up'], { up, terminal })
  await until(() => terminal.out() !== '')
  terminal.hangUp()
  await until(() => terminal.err().includes('next start'))
  expect(terminal.err()).toContain('the configuration was applied: limits.openStreams\ntaken at the next start: demo\n')
  terminal.hangUp()
  await until(() => terminal.err().includes('hint'))
  expect(terminal.err()).toContain('the configuration was refused, the one before stays: no such key\n  hint: look\n')
  terminal.signal('SIGTERM')
  drain()
  await running
  terminal.hangUp()
  expect(seen.reloads).toBe(2)
})

test('SIGHUP while it starts is heard when it is up, and a stop while it starts ends it at once', async () => {
  const { up, drain, seen } = createInstallation({})
  const started = Promise.withResolvers<void>()
  const terminal = createTestTerminal()
  const slowly: typeof up = async (loaded) => {
    await started.promise
    return up(loaded)
  }
  const running = runCli(['up'], { up: slowly, terminal })
  await until(() => terminal.isHeard())
  terminal.hangUp()
  terminal.signal('SIGTERM')
  expect(terminal.exitedWith()).toBe(143)
  expect(seen.reloads).toBe(0)
  started.resolve()
  await until(() => terminal.err().includes('the configuration was applied'))
  terminal.signal('SIGTERM')
  drain()
  expect(await running).toBe(0)
})
