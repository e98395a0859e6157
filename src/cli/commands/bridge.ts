import { startBridge } from '../bridge/bridge.ts'
import { openTokenSource } from '../bridge/token-source.ts'
import { openWire } from '../bridge/wire.ts'
import { isLoopbackUrl } from '../clients/reach.ts'
import type { CommandPlug } from '../command.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'

interface BridgeOptions {
  readonly tokenFile?: string
}

/** @throws CliFailure `bridge.bad-url`, `bridge.plaintext-url` */
function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isPlain = url !== undefined && url.username === '' && url.password === '' && url.hash === ''
  if (url === undefined || !isPlain || !/^https?:$/.test(url.protocol)) {
    const hint = 'use a URL such as http://localhost:8090/mcp or https://castellan.example/mcp'
    throw new CliFailure('usage', 'bridge.bad-url', 'this is not the http or https URL of a gateway', hint)
  }
  if (url.protocol === 'http:' && !isLoopbackUrl(url.href)) {
    const message = `\`${url.origin}\` would send the token unencrypted`
    throw new CliFailure('usage', 'bridge.plaintext-url', message, 'use its https URL')
  }
  return url.href
}

async function runBridge(invocation: Invocation, given: string, { tokenFile }: BridgeOptions): Promise<void> {
  const url = readUrl(given)
  const { terminal, output } = invocation
  const tokens = await openTokenSource(invocation, { url, tokenFile })
  const wire = await openWire(url, tokens)
  const note = (says: string): void => output.note(`castellan bridge: ${says}`)
  if (terminal.stdin.isTTY === true) note('an MCP client starts this and speaks to it; end it with Ctrl-C')
  const bridge = startBridge({ url, wire, input: terminal.stdin, output: terminal.stdout, note })
  const unheard = terminal.onStopSignal(() => bridge.stop())
  try {
    await bridge.ended
  } finally {
    unheard()
    await tokens.end()
    await wire.close()
  }
}

export const bridge: CommandPlug = {
  examples: [
    'castellan bridge https://castellan.example/mcp --token-file ~/castellan-token',
    'CASTELLAN_TOKEN=... castellan bridge http://localhost:8090/servers/notes/mcp',
  ],
  declare(program, open) {
    program
      .command('bridge')
      .argument('<url>', 'what the client is to reach: .../mcp')
      .description('be an MCP server on stdin and stdout for a client that cannot reach the gateway over HTTP')
      .option('--token-file <file>', 'read the token from here (default: CASTELLAN_TOKEN, else the sign-in)')
      .action((url: string, options: BridgeOptions) => runBridge(open(), url, options))
  },
}
