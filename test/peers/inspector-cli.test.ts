import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { startWorld } from '../world/castellan.ts'
import { inspectorCli, peerCommands, putBehind } from '../world/servers/peers.ts'

function inspect(url: string, token: string | undefined, args: string[]): Promise<{ code: number; output: string }> {
  const header = token === undefined ? [] : ['--header', `Authorization: Bearer ${token}`]
  const child = spawn(process.execPath, [inspectorCli, '--cli', url, '--transport', 'http', ...header, ...args], {
    env: { ...process.env, NO_COLOR: '1' },
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code: code ?? -1, output })))
}

test('the Inspector lists and calls tools through the gateway, and is told to sign in without a token', async () => {
  const world = await startWorld()
  const { token } = await putBehind(world.ana, 'everything', { command: peerCommands.everything })
  const url = `${world.gatewayUrl}/servers/everything/mcp`
  const listed = await inspect(url, token, ['--method', 'tools/list'])
  expect(listed.output).toContain('"echo"')
  expect(listed.code).toBe(0)
  const call = ['--method', 'tools/call', '--tool-name', 'echo', '--tool-arg', 'message=hello']
  for (const era of ['legacy', 'auto']) {
    const called = await inspect(url, token, ['--protocol-era', era, ...call])
    expect(called.output).toContain('Echo: hello')
    expect(called.code).toBe(0)
  }
  const refused = await inspect(url, undefined, ['--method', 'tools/list'])
  expect(refused.code).toBe(3)
}, 60_000)
