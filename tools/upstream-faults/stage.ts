/**
 * The stage of the proof: a gateway as an operator starts it, and servers in processes of their own that fail.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Program, startProgram } from '../../test/world/program.ts'
import { type RunningCastellan, runCastellan } from '../../test/world/running-castellan.ts'
import type { Target } from './calls.ts'

export interface Server {
  readonly program: Program
  readonly port: number
  readonly url: (way: string) => string
}

export interface Stage {
  readonly castellan: RunningCastellan
  readonly folder: string
  startServer(): Promise<Server>
  /** Registers an upstream, approves its tool and mints a token. */
  add(name: string, place: string | readonly string[]): Promise<Target>
  end(): Promise<void>
}

const faultyServer = fileURLToPath(new URL('faulty-server.ts', import.meta.url))
const crasher = fileURLToPath(new URL('crashing-server.ts', import.meta.url))

/** The arguments with which the stdio server of this folder is run. */
export function crashingServer(pidFile: string, isCrashing: boolean): readonly string[] {
  return [process.execPath, crasher, pidFile, ...(isCrashing ? ['crash'] : [])]
}

/** Seconds that are short, so that the proof is; the breaker's are the preset ones. */
const settings: NodeJS.ProcessEnv = {
  CASTELLAN_LIMITS__UPSTREAM_SILENCE_SECONDS: '4',
  CASTELLAN_LIMITS__STREAM_SECONDS: '8',
  CASTELLAN_UPSTREAMS__BREAKER_FAILURES: '5',
  CASTELLAN_UPSTREAMS__BREAKER_OPEN_SECONDS: '60',
}

export async function setStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-faults-'))
  const programs: Program[] = []
  const castellan = await runCastellan(settings)
  return {
    castellan,
    folder,
    async startServer() {
      const server = startProgram(process.execPath, [faultyServer])
      programs.push(server)
      const port = Number((await server.waitFor(/listening on (\d+)/))[1])
      return { program: server, port, url: (way) => `http://127.0.0.1:${port}/mcp/${way}` }
    },
    async add(name, place) {
      const token = await castellan.addUpstream(name, place)
      return { gatewayUrl: castellan.gatewayUrl, upstream: name, token }
    },
    async end() {
      await castellan.end()
      await Promise.all(programs.map((one) => one.stop()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Whether a process runs; one that has ended and was not looked at yet does not. */
export function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false
  return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

/** Memory that a process takes, in mebibytes. */
export function residentMb(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) / 1024
}
