/**
 * A stdio server that notes its process and one of its own in a file; one that is to crash ends at its first call.
 */
import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const [, , pidFile = '', isCrashing] = process.argv
const grandchild = spawn('sleep', ['600'], { stdio: 'ignore' })
appendFileSync(pidFile, `${process.pid}\n${grandchild.pid}\n`)

const tool = { name: 'echo', description: 'Repeats.', inputSchema: { type: 'object' } }

function resultOf(method: string): Record<string, unknown> {
  if (method === 'initialize') {
    const serverInfo = { name: 'crasher', version: '1' }
    return { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo }
  }
  return method === 'tools/list' ? { tools: [tool] } : { content: [] }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method } = JSON.parse(line) as { id?: unknown; method: string }
  if (method === 'tools/call' && isCrashing !== undefined) process.exit(3)
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result: resultOf(method) }))
}
