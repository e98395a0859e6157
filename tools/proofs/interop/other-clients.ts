/** Clients made without the official library, or that stand between it and the gateway. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createMCPClient as createToday } from '@ai-sdk/mcp'
import { experimental_createMCPClient as createBefore } from 'ai-sdk-mcp-1'
import type { Door, Peer, PeerKind } from './clients.ts'

const mcpc = fileURLToPath(new URL('../../../node_modules/@apify/mcpc/bin/mcpc', import.meta.url))

/** The part that both versions share. */
interface AiClient {
  tools(): Promise<Record<string, { readonly execute?: unknown }>>
  close(): Promise<void>
}
type Execute = (given: Record<string, unknown>, options: object) => Promise<unknown>

function fromAiClient(client: AiClient): Peer {
  return {
    listTools: async () => JSON.stringify(Object.keys(await client.tools())),
    async callTool(name, given) {
      const tools = await client.tools()
      const execute = tools[name]?.execute as Execute | undefined
      if (execute === undefined) throw new Error(`it has no tool ${name}`)
      return JSON.stringify(await execute(given, { messages: [], toolCallId: '1' }))
    },
    canAnswer: false,
    close: () => client.close(),
  }
}

function overHttp({ url, token }: Door) {
  return { transport: { type: 'http' as const, url, headers: { authorization: `Bearer ${token}` } } }
}

function runMcpc(home: string, words: readonly string[]): Promise<string> {
  const env = { ...process.env, HOME: home, MCPC_HOME_DIR: join(home, 'mcpc'), NO_COLOR: '1' }
  const child = spawn(process.execPath, [mcpc, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  return new Promise((resolve, reject) =>
    child.on('exit', (code) => (code === 0 ? resolve(output) : reject(new Error(`ended with ${code}: ${output}`)))),
  )
}

/** A session that a process of its own keeps open, asked by one process for each question. */
async function connectMcpc({ url, token }: Door): Promise<Peer> {
  const home = mkdtempSync(join(tmpdir(), 'castellan-mcpc-'))
  const ask = (...words: string[]): Promise<string> => runMcpc(home, ['@gate', ...words, '--json'])
  await runMcpc(home, ['connect', url, '@gate', '--header', `Authorization: Bearer ${token}`])
  return {
    listTools: async () => JSON.stringify(JSON.parse(await ask('tools-list'))),
    callTool: (name, given) => ask('tools-call', name, JSON.stringify(given)),
    readResource: (uri) => ask('resources-read', uri),
    getPrompt: (name) => ask('prompts-get', name),
    canAnswer: false,
    async close() {
      await runMcpc(home, ['close', '@gate'])
      rmSync(home, { recursive: true, force: true })
    },
  }
}

export const otherPeerKinds: readonly PeerKind[] = [
  { name: '@ai-sdk/mcp 1.x', connect: async (door) => fromAiClient(await createBefore(overHttp(door))) },
  { name: '@ai-sdk/mcp 2.x', connect: async (door) => fromAiClient(await createToday(overHttp(door))) },
  { name: 'mcpc', connect: connectMcpc },
]
