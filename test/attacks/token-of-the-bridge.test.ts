/**
 * A client starts `castellan bridge`, which holds an access token. Others on the machine read its arguments; somebody on
 * the network answers in the gateway's place and sends it elsewhere, or offers it a connection that can be read along.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { temporaryFolder } from '../world/folder.ts'
import { runProgram, startProgram } from '../world/program.ts'

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))
const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
}
const input = `${JSON.stringify(initialize)}\n`

function environment(token: string): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: temporaryFolder(), CASTELLAN_TOKEN: token }
}

/** A server in the gateway's place that sends everybody to another one. @returns both, with what reached them */
async function startRedirecting(status: number) {
  const stolen: string[] = []
  const thief = createServer((req, res) => {
    stolen.push(req.headers.authorization ?? 'nothing')
    res.end()
  })
  const places: number[] = []
  const posing = createServer((_req, res) => {
    res.writeHead(status, { location: `http://127.0.0.1:${places[0]}/mcp` }).end()
  })
  for (const server of [thief, posing]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    places.push((server.address() as AddressInfo).port)
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
  }
  return { url: `http://127.0.0.1:${places[1]}/mcp`, stolen }
}

for (const status of [302, 307, 308]) {
  proves('CLI-2', `a redirect (${status}) takes the token of the bridge nowhere`, async () => {
    const { url, stolen } = await startRedirecting(status)
    const { code, stdout } = await runProgram(process.execPath, [launcher, 'bridge', url], {
      env: environment('cst_secret'),
      input,
    })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ id: 1, error: { data: { status } } })
    expect(stolen).toEqual([])
  })
}

proves(
  'CLI-2',
  'the bridge sends its token to no other machine unencrypted, whatever a client was told to start',
  async () => {
    const { code, output, stdout } = await runProgram(process.execPath, [launcher, 'bridge', 'http://192.0.2.7/mcp'], {
      env: environment('cst_secret'),
      input,
    })
    expect([code, stdout]).toEqual([1, ''])
    expect(output).toContain('bridge.plaintext-url')
    expect(output).not.toContain('cst_secret')
  },
)

proves(
  ['CLI-2', 'AUT-5'],
  'the token is in no argument and no output of the bridge, and not with the upstream',
  async () => {
    const world = await startWorld()
    const token = await world.ana.mint('books')
    const url = `${world.gatewayUrl}/servers/books/mcp`
    const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'echo', arguments: { text: 'hi' } } }
    const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' }
    const running = startProgram(process.execPath, [launcher, 'bridge', url], {
      env: environment(token),
      input: [initialize, initialized, call].map((each) => `${JSON.stringify(each)}\n`).join(''),
    })
    const visible = readFileSync(`/proc/${running.pid}/cmdline`, 'utf8')
    expect(await running.ended).toBe(0)
    const answers = running.stdout().trim().split('\n')
    expect(answers.map((line) => (JSON.parse(line) as { id: number }).id)).toEqual([1, 2])
    expect(visible + running.output()).not.toContain(token)
    expect(JSON.stringify(world.books.arrived)).not.toContain(token)
    expect(world.books.calls('tools/call')).toHaveLength(1)
    const intents = (await world.ledger('&event=call.intended')).filter(({ target }) => target?.name === 'echo')
    expect(intents).toMatchObject([{ principal: { name: 'ana' } }])
  },
)
