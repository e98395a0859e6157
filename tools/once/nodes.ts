/** Two whole Castellans on one database that answer for one public address, one of which can be killed and started again. */
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { freePorts, startProgram } from '../../test/world/program.ts'
import { runCastellan, type RunningCastellan } from '../../test/world/running-castellan.ts'

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))
/** Of a node that is not there. */
const noStatus = 0

/** An answer of a node. */
export interface Answered {
  readonly status: number
  readonly body: Record<string, unknown>
}

export interface Posting {
  readonly path: string
  readonly fields?: Record<string, string>
  readonly json?: unknown
  readonly headers?: Record<string, string>
}

export interface Nodes {
  readonly first: RunningCastellan
  /** Posts to the first node (0) or the second (1), under the address of both. Status 0 when it is not there. */
  post(node: number, posting: Posting): Promise<Answered>
  /** Ends the second node by SIGKILL and starts it again. */
  killSecond(): Promise<void>
  end(): Promise<void>
}

async function send(origin: string, host: string, posting: Posting): Promise<Answered> {
  const { path, fields, json, headers } = posting
  const isForm = json === undefined
  try {
    const answer = await request(`${origin}${path}`, {
      method: 'POST',
      headers: {
        host,
        accept: 'application/json, text/event-stream',
        'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
        ...headers,
      },
      body: isForm ? new URLSearchParams(fields).toString() : JSON.stringify(json),
    })
    const text = await answer.body.text()
    return {
      status: answer.statusCode,
      body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {},
    }
  } catch {
    return { status: noStatus, body: {} }
  }
}

/** @param env on top of generous limits, for both */
export async function startNodes(env: NodeJS.ProcessEnv): Promise<Nodes> {
  const first = await runCastellan(env)
  const host = new URL(first.gatewayUrl).host
  const dataDir = join(first.folder, 'second')
  mkdirSync(dataDir, { mode: 0o700 })
  copyFileSync(join(first.dataDir, 'root-key'), join(dataDir, 'root-key'))
  const [gateway, admin] = await freePorts(2)
  const own = {
    ...first.env,
    CASTELLAN_DATA_DIR: dataDir,
    CASTELLAN_GATEWAY__PORT: String(gateway),
    CASTELLAN_GATEWAY__PUBLIC_URL: first.gatewayUrl,
    CASTELLAN_ADMIN__PORT: String(admin),
    CASTELLAN_DATABASE__URL: first.env['CASTELLAN_DATABASE__URL'] ?? `sqlite:${join(first.dataDir, 'castellan.db')}`,
  }
  const start = async () => {
    const program = startProgram(process.execPath, [launcher, 'up'], { env: own })
    await program.waitFor(/^\{.*"event":"ready".*\}$/m)
    return program
  }
  let second = await start()
  const origins = [first.gatewayUrl, `http://localhost:${gateway}`]
  return {
    first,
    post: (node, posting) => send(origins[node] ?? '', host, posting),
    async killSecond() {
      process.kill(-second.pid, 'SIGKILL')
      await second.ended
      second = await start()
    },
    async end() {
      await second.stop()
      await first.end()
    },
  }
}
