import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { verifyLedger } from '#audit'
import { expect, onTestFinished, test } from 'vitest'
import { waitForStatus } from '../world/program.ts'
import { runCastellan, type RunningCastellan } from '../world/running-castellan.ts'
import { startRecordingUpstream } from '../world/servers/recording-upstream.ts'
import { makeAuthority, writePem } from '../world/wire/tls.ts'

async function start(yaml: string) {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-config-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'castellan.yaml')
  const write = (text: string): void => writeFileSync(file, text)
  write(yaml)
  const castellan = await runCastellan({ CASTELLAN_CONFIG: file })
  onTestFinished(() => castellan.end())
  const printed = (): string => castellan.program.output()
  const hangUp = (): void => void process.kill(castellan.program.pid, 'SIGHUP')
  return { castellan, write, printed, hangUp }
}

async function entries({ ana }: RunningCastellan, event: string) {
  const { body } = await ana.api('GET', `/audit?event=${event}&limit=100`)
  return body['items'] as { outcome: string; principal?: { name: string }; details: Record<string, unknown> }[]
}

const knock = (castellan: RunningCastellan) => waitForStatus(`${castellan.gatewayUrl}/elsewhere`, 404, 5_000)
const keptOut = (castellan: RunningCastellan) => waitForStatus(`${castellan.gatewayUrl}/elsewhere`, 403, 5_000)

test(
  'an operator changes the file, and SIGHUP or an administrator has it read again',
  { timeout: 60_000 },
  async () => {
    const { castellan, write, printed, hangUp } = await start('limits: { bodyBytes: 4096 }\n')
    await knock(castellan)

    write('gateway: { allowedNetworks: [192.0.2.0/24] }\nlimits: { bodyBytes: 4096 }\nledger: { origin: north }\n')
    hangUp()
    await keptOut(castellan)
    await expect.poll(printed).toContain('the configuration was applied: gateway.allowedNetworks\n')
    expect(printed()).toContain('taken at the next start: ledger.origin\n')

    write('gateway: { allowedNetworks: [192.0.2.0/24')
    hangUp()
    await expect.poll(printed).toMatch(/the configuration was refused, the one before stays: .*castellan\.yaml:1:\d+: /)
    await keptOut(castellan)

    write('limits: { bodyBytes: 8192 }\nidentity: { accessTokenDays: 1 }\n')
    const { status, body } = await castellan.ana.api('POST', '/config/reload', {})
    expect([status, body]).toEqual([
      200,
      {
        outcome: 'applied',
        changed: ['gateway.allowedNetworks', 'identity.accessTokenDays', 'limits.bodyBytes'],
        needRestart: [],
        problem: null,
        hint: null,
      },
    ])
    await knock(castellan)
    await expect(castellan.ana.mint('books', 2 * 86_400)).rejects.toThrow('identity.lifetime-invalid')

    const [first, second] = await entries(castellan, 'config.reloaded')
    expect(first).toMatchObject({
      outcome: 'succeeded',
      details: { by: 'signal', changed: ['gateway.allowedNetworks'], needRestart: ['ledger.origin'] },
    })
    expect(second).toMatchObject({ principal: { name: 'ana' }, details: { needRestart: [] } })
    expect(await entries(castellan, 'config.refused')).toMatchObject([
      { outcome: 'refused', details: { by: 'signal', problem: expect.stringContaining('castellan.yaml:1:') } },
    ])
  },
)

/** The certificate that a listener shows. */
function shown(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '')
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

const fingerprintOf = (pem: string) => new X509Certificate(pem).fingerprint256

test(
  'a renewed certificate is taken over at once; one whose key is of another is not',
  { timeout: 60_000 },
  async () => {
    const authority = await makeAuthority()
    const [first, second, third] = [await authority.issue(), await authority.issue(), await authority.issue()]
    const gateway = { tlsCertificate: first.certificatePath, tlsKey: first.keyPath }
    const { castellan, printed, hangUp } = await start(JSON.stringify({ gateway }))
    const port = Number(new URL(castellan.gatewayUrl).port)
    expect(await shown(port)).toBe(fingerprintOf(first.certificate))

    writePem(first.certificatePath, second.certificate)
    hangUp()
    await expect.poll(printed).toContain('the configuration was refused, the one before stays: the key in ')
    expect(await shown(port)).toBe(fingerprintOf(first.certificate))

    writePem(first.keyPath, second.key)
    hangUp()
    await expect.poll(printed).toContain('the configuration was applied: gateway.tlsCertificate\n')
    expect(await shown(port)).toBe(fingerprintOf(second.certificate))
    writePem(first.certificatePath, third.certificate)
    writePem(first.keyPath, third.key)
    expect((await castellan.ana.api('POST', '/config/reload', {})).body).toMatchObject({
      outcome: 'applied',
      changed: ['gateway.tlsCertificate'],
    })
    expect(await shown(port)).toBe(fingerprintOf(third.certificate))
    expect(await entries(castellan, 'config.reloaded')).toHaveLength(2)
  },
)

test('nobody but an administrator has the configuration read again', { timeout: 60_000 }, async () => {
  const { castellan } = await start('limits: { bodyBytes: 4096 }\n')
  const ben = await castellan.join('ben', ['analyst'])
  expect((await ben.api('POST', '/config/reload', {})).status).toBe(403)
  expect(await entries(castellan, 'config.reloaded')).toEqual([])
})

test('twenty signals at once are one change', { timeout: 60_000 }, async () => {
  const { castellan, write, hangUp } = await start('limits: { bodyBytes: 4096 }\n')
  write('limits: { bodyBytes: 8192 }\n')
  for (let round = 0; round < 20; round++) hangUp()
  await expect.poll(async () => (await entries(castellan, 'config.reloaded')).length).toBe(1)
  expect((await castellan.ana.api('POST', '/config/reload', {})).body).toMatchObject({ outcome: 'unchanged' })
})

const headersFor = (token: string) => ({
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  authorization: `Bearer ${token}`,
  'mcp-protocol-version': '2025-11-25',
})

const call = (name: string) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } })

test(
  'a stop lets a call finish, ends a stream, and ends with 0 when all of it is on record',
  { timeout: 60_000 },
  async () => {
    const { castellan, printed } = await start('limits: { drainSeconds: 20 }\n')
    const books = await startRecordingUpstream()
    const token = await castellan.addUpstream('books', books.url)
    const url = `${castellan.gatewayUrl}/servers/books/mcp`
    const headers = headersFor(token)
    const opened = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 0,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'ana', version: '1' } },
      }),
    })
    await opened.text()
    const session = { ...headers, 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
    const stream = await fetch(url, { headers: { ...session, accept: 'text/event-stream' } })
    expect(stream.status).toBe(200)
    const answer = fetch(url, { method: 'POST', headers: session, body: call('slow') })
    await expect.poll(() => books.calls('tools/call').length).toBe(1)

    process.kill(castellan.program.pid, 'SIGTERM')
    await stream.text()
    await waitForStatus(`${castellan.adminUrl}/readyz`, 503, 5_000)
    await waitForStatus(`${castellan.adminUrl}/livez`, 200, 5_000)
    await expect
      .poll(() => fetch(url, { method: 'POST', headers: session }).then(String, () => 'refused'))
      .toBe('refused')
    await expect.poll(printed, { timeout: 5_000 }).toContain('waiting for 1 call\n')
    books.finishSlow('done')
    expect(await (await answer).text()).toContain('done')
    expect(await castellan.program.ended).toBe(0)
    expect(printed()).toMatch(/stopping: finishing \d calls first\n[^]*stopped\n$/)
    expect(await verifyLedger({ folder: castellan.dataDir })).toMatchObject({ holds: true })
  },
)

test(
  'a call that does not end is told so after the time to drain, and what was open is on record',
  { timeout: 60_000 },
  async () => {
    const { castellan } = await start('limits: { drainSeconds: 1 }\n')
    const books = await startRecordingUpstream()
    const token = await castellan.addUpstream('books', books.url)
    const headers = headersFor(token)
    const url = `${castellan.gatewayUrl}/servers/books/mcp`
    const answer = fetch(url, { method: 'POST', headers, body: call('slow') }).then(
      async (response) => [response.status, await response.text()],
      String,
    )
    await expect.poll(() => books.calls('tools/call').length).toBe(1)
    process.kill(castellan.program.pid, 'SIGINT')
    expect(await answer).toEqual([503, expect.stringContaining('castellan is being stopped')])
    expect(await castellan.program.ended).toBe(0)
    expect(await verifyLedger({ folder: castellan.dataDir })).toMatchObject({ holds: true })
  },
)

test('a second signal ends it at once', { timeout: 60_000 }, async () => {
  const { castellan, printed } = await start('limits: { drainSeconds: 600 }\n')
  const books = await startRecordingUpstream()
  const token = await castellan.addUpstream('books', books.url)
  const headers = headersFor(token)
  const url = `${castellan.gatewayUrl}/servers/books/mcp`
  const answer = fetch(url, { method: 'POST', headers, body: call('slow') }).catch(() => 'cut')
  await expect.poll(() => books.calls('tools/call').length).toBe(1)
  process.kill(castellan.program.pid, 'SIGTERM')
  await expect.poll(printed).toContain('stopping')
  process.kill(castellan.program.pid, 'SIGTERM')
  expect(await castellan.program.ended).toBe(143)
  expect(await answer).toBe('cut')
})
