/**
 * Someone on the way between a client and the gateway offers it old protocols, suites that are broken or whose records
 * can be read later, HTTP/2 and no encryption at all, hoping that it agrees to what they can read.
 */
import { connect, type ConnectionOptions } from 'node:tls'
import { loadConfig } from '#platform/config'
import { Agent, fetch } from 'undici'
import { expect, onTestFinished } from 'vitest'
import { startCastellan } from '../../src/compose.ts'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { temporaryFolder } from '../world/folder.ts'
import { callTool } from '../world/messages.ts'
import { type Authority, type Leaf, makeAuthority, writePem } from '../world/wire/tls.ts'
import { headOf, openRaw } from '../world/wire/raw-client.ts'

function envFor(leaf: Leaf): Record<string, string> {
  return {
    CASTELLAN_GATEWAY__TLS_CERTIFICATE: leaf.certificatePath,
    CASTELLAN_GATEWAY__TLS_KEY: leaf.keyPath,
  }
}

/** Calls through TLS as a client that trusts the authority. */
function trustingCaller(world: World, authority: Authority, token: string) {
  const dispatcher = new Agent({ connect: { ca: authority.certificate } })
  onTestFinished(() => dispatcher.close())
  return async (tool: string, signal?: AbortSignal) =>
    fetch(`${world.gatewayUrl}/servers/books/mcp`, {
      method: 'POST',
      dispatcher,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify(callTool(tool)),
      ...(signal === undefined ? {} : { signal }),
    })
}

/** The protocol that both agree on, or the code of the failure. */
function agree(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    socket.once('secureConnect', () => {
      resolve(socket.getProtocol() ?? 'nothing')
      socket.destroy()
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'closed'))
  })
}

function serialOf(port: number, authority: Authority): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: 'localhost', ca: authority.certificate }, () => {
      resolve(socket.getPeerCertificate().serialNumber)
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

proves('TLS-1', 'nothing but TLS 1.2 and 1.3 with forward secrecy is agreed to', async () => {
  const authority = await makeAuthority()
  const world = await startWorld({ env: envFor(await authority.issue({ key: 'rsa-2048' })) })
  const port = Number(new URL(world.gatewayUrl).port)
  const call = trustingCaller(world, authority, await world.ana.mint('books'))
  expect((await call('echo')).status).toBe(200)

  const weak = { ciphers: 'ALL:@SECLEVEL=0' }
  for (const version of ['TLSv1', 'TLSv1.1'] as const) {
    expect(await agree(port, { ...weak, minVersion: version, maxVersion: version })).toMatch(/^ERR_SSL_/)
  }
  for (const suite of ['AES256-GCM-SHA384', 'ECDHE-RSA-AES256-SHA384', 'ECDHE-RSA-AES128-SHA', 'DHE-RSA-AES128-SHA']) {
    expect(await agree(port, { ciphers: `${suite}:@SECLEVEL=0`, maxVersion: 'TLSv1.2' })).toMatch(/^ERR_SSL_/)
  }
  expect(await agree(port, { ALPNProtocols: ['h2'] })).toMatch(/^ERR_SSL_/)
  const plain = await openRaw({ port })
  plain.socket.write(headOf())
  await plain.closed
  expect(plain.statuses()).toEqual([])

  expect(world.books.calls()).toHaveLength(1)
  expect(await world.ledger('&event=call.refused')).toEqual([])
})

proves('TLS-1', 'without encryption it listens to nobody beyond this machine', async () => {
  const folder = temporaryFolder()
  const start = async (env: Record<string, string>) =>
    startCastellan(loadConfig({ env: { CASTELLAN_DATA_DIR: folder, ...env }, cwd: folder, home: folder }))
  for (const section of ['GATEWAY', 'ADMIN']) {
    for (const address of ['0.0.0.0', '::', '192.0.2.1']) {
      await expect(start({ [`CASTELLAN_${section}__ADDRESSES`]: address })).rejects.toMatchObject({ name: 'Misuse' })
    }
  }
})

proves(
  'TLS-2',
  'certificates change without a call or a stream lost, and one that cannot be used changes nothing',
  async () => {
    const authority = await makeAuthority()
    const leaf = await authority.issue()
    const world = await startWorld({ env: envFor(leaf) })
    const port = Number(new URL(world.gatewayUrl).port)
    const call = trustingCaller(world, authority, await world.ana.mint('books'))
    const left = new AbortController()
    const drip = (await call('drip', left.signal)).body?.getReader()
    const put = async (next: Leaf): Promise<unknown> => {
      writePem(leaf.certificatePath, next.certificate)
      writePem(leaf.keyPath, next.key)
      return (await world.ana.api('POST', '/config/reload', {})).body['outcome']
    }
    let isOver = false
    const callOn = async (): Promise<number[]> => {
      const statuses: number[] = []
      while (!isOver) statuses.push((await call('echo').then(async (answer) => (await answer.text(), answer))).status)
      return statuses
    }
    const callers = [callOn(), callOn(), callOn(), callOn()]
    const serials = new Set([await serialOf(port, authority)])
    for (let round = 0; round < 5; round++) {
      expect(await put(await authority.issue())).toBe('applied')
      serials.add(await serialOf(port, authority))
    }
    const expired = await authority.issue({ untilDays: -0.5 })
    expect(await put(expired)).toBe('refused')
    serials.add(await serialOf(port, authority))
    isOver = true
    const statuses = (await Promise.all(callers)).flat()
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(serials.size).toBe(6)
    expect((await drip?.read())?.done).toBe(false)
    left.abort()
    await drip?.cancel().catch(() => undefined)
    expect(world.books.calls('tools/call')).toHaveLength(statuses.length + 1)
    expect(await world.ledger('&event=config.refused')).toMatchObject([{ outcome: 'refused' }])
    expect(await world.ledger('&event=config.reloaded')).toHaveLength(5)
  },
)
