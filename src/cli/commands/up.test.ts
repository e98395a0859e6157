import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createTestTerminal } from '../../../test/world/terminal.ts'
import { runCli } from '../run.ts'

const setupUrl = 'http://localhost:8091/setup#cse_secret'

/** An installation that starts and stops as it is told. */
function createInstallation(options: { setupUrl?: string } = { setupUrl }) {
  const drained = Promise.withResolvers<void>()
  const seen = { stops: 0, gatewayPort: 0 }
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
