/** `mcp-remote`, as a client on a person's machine starts it: it registers, opens a browser, waits for the answer, and serves. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../../test/world/program.ts'
import { type Cells, must } from './cells.ts'
import type { Stage } from './stage.ts'

const remote = fileURLToPath(new URL('../../node_modules/.bin/mcp-remote', import.meta.url))
const patience = { timeout: 60_000 }

function environmentOf({ castellan }: Stage): Record<string, string> {
  const { PATH = '', HOME = '' } = castellan.env
  return { PATH, HOME, MCP_REMOTE_CONFIG_DIR: `${castellan.folder}/mcp-remote` }
}

/** Runs it, lists and calls through it. @returns whether it sent its person to the browser */
async function runOnce(stage: Stage, port: number): Promise<boolean> {
  const { castellan, url, consent } = stage
  const args = [remote, url.href, String(port), '--allow-http']
  const transport = new StdioClientTransport({
    command: process.execPath,
    args,
    env: environmentOf(stage),
    stderr: 'pipe',
  })
  let [printed, isAsked] = ['', false]
  const address = new RegExp(`${castellan.gatewayUrl}/oauth/authorize\\?\\S+`)
  transport.stderr?.on('data', (chunk) => {
    printed += String(chunk)
    const [found] = address.exec(printed) ?? []
    if (found === undefined || isAsked) return
    isAsked = true
    // WHY: what fails here shows as a program that waits for its person until patience ends.
    consent(found).catch(() => undefined)
  })
  const client = new Client({ name: 'desk', version: '1' })
  try {
    await client.connect(transport, patience)
    const { tools } = await client.listTools({}, patience)
    const called = await client.callTool({ name: 'echo', arguments: {} }, undefined, patience)
    must(tools.some(({ name }) => name === 'echo') && called['content'] !== undefined, printed.slice(-600))
    return isAsked
  } finally {
    await client.close()
  }
}

export async function runPrograms(stage: Stage, cells: Cells): Promise<void> {
  const [port = 0] = await freePorts(1)
  await cells.step('mcp-remote', 'registers, sends its person to the browser, lists and calls', async () => {
    must(await runOnce(stage, port), 'nobody was asked')
  })
  await cells.step('mcp-remote', 'started again, it uses what it kept', async () => {
    must(!(await runOnce(stage, port)), 'the person was asked again')
  })
}
