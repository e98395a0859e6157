import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { Person } from '../people.ts'

const modules = join(import.meta.dirname, '../../../node_modules')

/** The argument vectors of MCP servers that others wrote, from the lock file. */
export const peerCommands = {
  everything: [process.execPath, join(modules, '@modelcontextprotocol/server-everything/dist/index.js'), 'stdio'],
  filesystem: (folder: string) => [
    process.execPath,
    join(modules, '@modelcontextprotocol/server-filesystem/dist/index.js'),
    folder,
  ],
  memory: [process.execPath, join(modules, '@modelcontextprotocol/server-memory/dist/index.js')],
}

export const inspectorCli = join(modules, '.bin/mcp-inspector')

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Starts server-everything over Streamable HTTP on loopback; it ends with the running test. @returns its URL */
export function startEverythingHttp(): Promise<string> {
  return startEverything('streamableHttp', '/mcp')
}

/** The same over the HTTP with SSE of 2024-11-05. */
export function startEverythingSse(): Promise<string> {
  return startEverything('sse', '/sse')
}

async function startEverything(mode: 'streamableHttp' | 'sse', path: string): Promise<string> {
  const port = await freePort()
  const script = join(modules, '@modelcontextprotocol/server-everything/dist/index.js')
  const preload = join(import.meta.dirname, 'bind-loopback.mjs')
  const child = spawn(process.execPath, ['--import', preload, script, mode], {
    env: { PATH: process.env['PATH'] ?? '', PORT: String(port) },
    stdio: 'ignore',
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const url = `http://127.0.0.1:${port}${path}`
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (
      await fetch(url, { method: 'DELETE' }).then(
        () => true,
        () => false,
      )
    )
      return url
    await sleep(50)
  }
  throw new Error('server-everything did not start')
}

/** Adds an upstream, approves what it offers, and mints a token for it. */
export async function putBehind(
  person: Person,
  name: string,
  upstream: { url: string } | { command: readonly string[]; environment?: Record<string, string> },
): Promise<{ token: string; tools: string[] }> {
  const steps = [
    () => person.api('POST', '/upstreams', { name, ...upstream }),
    () => person.api('POST', `/upstreams/${name}/review`, {}),
    () => person.api('POST', `/upstreams/${name}/tools/approve`, { tools: 'all' }),
  ]
  let last
  for (const step of steps) {
    last = await step()
    if (last.status >= 300) throw new Error(`${name}: ${last.status} ${JSON.stringify(last.body)}`)
  }
  const { body } = await person.api('GET', `/upstreams/${name}/tools`)
  const tools = (body['items'] as { tool: string }[]).map((pin) => pin.tool)
  return { token: await person.mint(name), tools }
}
