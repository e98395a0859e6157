/**
 * Everything that is measured, each started as its own process: the upstream alone, the bare proxy, the proxies made of the
 * official libraries, and Castellan as an operator starts it, with nothing switched off.
 */
import { fileURLToPath } from 'node:url'
import { runCastellan, type RunningCastellan } from '../test/world/running-castellan.ts'
import { type Program, startProgram } from '../test/world/program.ts'
import type { LoadTarget } from './load.ts'
import type { Era } from './messages.ts'

export interface Subject {
  readonly name: string
  readonly pid: number
  target(era: Era): LoadTarget
}

/** A subject that ends when told. */
export interface RunningSubject extends Subject {
  end(): Promise<void>
}

export interface CastellanSubject extends RunningSubject {
  readonly castellan: RunningCastellan
}

/** Where nobody asks for one: so that all subjects read the same request. */
const anyToken = `cst_${'x'.repeat(43)}`

async function startListening(name: string, args: readonly string[]): Promise<RunningSubject & { port: number }> {
  const path = fileURLToPath(new URL(`${name}-program.ts`, import.meta.url))
  const program: Program = startProgram(process.execPath, [path, ...args])
  const [, port] = await program.waitFor(/listening on (\d+)/)
  return {
    name,
    pid: program.pid,
    port: Number(port),
    target: (era) => ({ port: Number(port), host: `127.0.0.1:${port}`, path: '/mcp', tokens: [anyToken], era }),
    end: async () => void (await program.stop()),
  }
}

/** The upstream; asked directly it is the subject `direct`. */
export async function startUpstream(): Promise<RunningSubject & { url: string }> {
  const upstream = await startListening('upstream', [])
  return { ...upstream, name: 'direct', url: `http://127.0.0.1:${upstream.port}/mcp` }
}

export async function startProxy(kind: 'bare' | 'sdk-1' | 'sdk-2', upstreamUrl: string): Promise<RunningSubject> {
  return { ...(await startListening(`${kind}-proxy`, [upstreamUrl])), name: kind }
}

export async function startCastellan(upstreamUrl: string): Promise<CastellanSubject> {
  const castellan = await runCastellan()
  const tokens = [await castellan.addUpstream('bench', upstreamUrl)]
  // WHY: the gateway lets one person have half as many calls open at one upstream as there are connections here.
  tokens.push(await (await castellan.join('ben', ['admin'])).mint('bench'))
  const { port, host } = new URL(castellan.gatewayUrl)
  return {
    name: 'castellan',
    pid: castellan.program.pid,
    castellan,
    target: (era) => ({ port: Number(port), host, path: '/servers/bench/mcp', tokens, era }),
    end: castellan.end,
  }
}
