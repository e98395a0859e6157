import { Agent, request as sendRequest } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../../../test/world/folder.ts'
import { type Leaf, makeAuthority, writePem } from '../../../test/world/wire/tls.ts'
import { openRaw } from '../../../test/world/wire/raw-client.ts'
import { createListener } from './listener.ts'
import type { Handler } from './listener-traffic.ts'
import { readTls, type TlsPaths } from './tls-files.ts'
import { watchTls } from './tls-watch.ts'

const handler: Handler = (request, response) => {
  if (request.url !== '/stream') return void response.end(request.url)
  const timer = setInterval(() => response.write('tick'), 10)
  response.once('close', () => clearInterval(timer))
}

async function serving(leaf: Leaf) {
  const folder = temporaryFolder()
  const paths: TlsPaths = { certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), minVersion: 'TLSv1.2' }
  const put = async (next: Leaf, pauseMs: number) => {
    writePem(paths.certificate, next.certificate)
    await sleep(pauseMs)
    writePem(paths.key, next.key)
  }
  await put(leaf, 0)
  const inUse = readTls(paths)
  const listener = createListener({ name: 'gateway', port: 0, tls: inUse, handler })
  const { port } = await listener.listen()
  onTestFinished(() => listener.close(0))
  const watch = watchTls({ paths, inUse, use: listener.setTls, everyMs: 20 })
  onTestFinished(watch.close)
  return { port, put, watch }
}

interface Call {
  readonly port: number
  readonly ca: string
  readonly agent: Agent | false
}

function call({ port, ca, agent }: Call, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = sendRequest({ port, host: 'localhost', ca, agent, path }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.once('end', () => resolve(text)).once('error', reject)
    })
    request.once('error', reject).end()
  })
}

test(
  'certificates change under load, and neither a request nor an open stream is lost',
  { timeout: 60_000 },
  async () => {
    const authority = await makeAuthority()
    const [first, ...next] = await Promise.all(Array.from({ length: 8 }, () => authority.issue()))
    const { port, put, watch } = await serving(first as Leaf)
    const ca = authority.certificate
    const stream = await openRaw({ port, tls: { ca } })
    stream.socket.write('GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n')

    const kept = new Agent({ keepAlive: true, maxSockets: 8 })
    onTestFinished(() => kept.destroy())
    let isOver = false
    const caller = async (name: number): Promise<number> => {
      const agent = name % 2 === 0 ? kept : false
      let calls = 0
      for (; !isOver; calls++) expect(await call({ port, ca, agent }, `/${name}/${calls}`)).toBe(`/${name}/${calls}`)
      return calls
    }
    const callers = Array.from({ length: 16 }, (_, name) => caller(name))
    for (const [at, leaf] of next.entries()) {
      await put(leaf, at * 10)
      await expect.poll(() => watch.inUse.certificate).toBe(leaf.certificate)
      await sleep(100)
    }
    isOver = true
    expect((await Promise.all(callers)).reduce((sum, calls) => sum + calls, 0)).toBeGreaterThan(100)
    const { length } = stream.answer.text
    await expect.poll(() => stream.answer.text.length).toBeGreaterThan(length)
  },
)
