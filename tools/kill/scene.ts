/** A gateway with an administrator, and a server behind it that keeps what reached it. */
import { readFileSync, rmSync } from 'node:fs'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProgram } from '../../test/world/program.ts'
import { type RunningCastellan, runCastellan } from '../../test/world/running-castellan.ts'

const upstreamProgram = fileURLToPath(new URL('upstream.ts', import.meta.url))

export interface Scene {
  readonly castellan: RunningCastellan
  readonly dataDir: string
  /** A token for the server `recorder`. */
  readonly token: string
  /** Names of the calls that reached the server since this was asked last. */
  arrivals(): string[]
  end(): Promise<void>
}

/** @param more variables of the environment */
export async function setScene(more: NodeJS.ProcessEnv = {}): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-kill-'))
  const record = join(folder, 'arrivals')
  const upstream = startProgram(process.execPath, [upstreamProgram, record])
  let seen = 0
  const end = async (castellan?: RunningCastellan): Promise<void> => {
    await castellan?.end()
    await upstream.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const [, port] = await upstream.waitFor(/listening on (\d+)/)
    const castellan = await runCastellan(more)
    try {
      const token = await castellan.addUpstream('recorder', `http://127.0.0.1:${port}/mcp`)
      return {
        castellan,
        dataDir: more['CASTELLAN_DATA_DIR'] ?? castellan.dataDir,
        token,
        arrivals() {
          const lines = readFileSync(record, 'utf8').split('\n').slice(0, -1)
          return lines.slice(seen, (seen = lines.length))
        },
        end: () => end(castellan),
      }
    } catch (error) {
      await end(castellan)
      throw error
    }
  } catch (error) {
    await end()
    throw error
  }
}
