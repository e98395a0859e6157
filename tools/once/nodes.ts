/** Two whole Castellans on one database that answer for one public address, one of which can be killed and started again. */
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { freePorts, startProgram } from '../../test/world/program.ts'
import { runCastellan, type RunningCastellan } from '../../test/world/running-castellan.ts'

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))
/** Of a node that is not there. */
export const noStatus = 0

/** An answer of a node. */
export interface Answered {
  readonly status: number
  /** Of JSON; empty for anything else. */
  readonly body: Record<string, unknown>
  readonly text: string
  readonly location: string
  readonly setCookies: readonly string[]
}

export interface Posting {
  readonly path: string
  /** POST unless told. */
  readonly method?: 'GET' | 'POST'
  readonly fields?: Record<string, string>
  readonly json?: unknown
  readonly headers?: Record<string, string>
  /** The gateway's listener unless told. */
  readonly to?: 'admin'
}

export interface Nodes {
  readonly first: RunningCastellan
  /** The database of both. */
  readonly databaseUrl: string
  /** Origins of the listeners of both. */
  readonly gateways: readonly string[]
  readonly admins: readonly string[]
  /** The environment of the second. */
  readonly secondEnv: NodeJS.ProcessEnv
  /** Asks the first node (0) or the second (1), under the address of both. Status 0 when it is not there. */
  post(node: number, posting: Posting): Promise<Answered>
  /** Ends the second node by SIGKILL and starts it again. */
  killSecond(): Promise<void>
  end(): Promise<void>
}

function bodyOf({ method, fields, json }: Posting): { type: string; text: string } | undefined {
  if (method === 'GET') return undefined
  return json === undefined
    ? { type: 'application/x-www-form-urlencoded', text: new URLSearchParams(fields).toString() }
    : { type: 'application/json', text: JSON.stringify(json) }
}

async function send(origin: string, host: string, posting: Posting): Promise<Answered> {
  const { path, method = 'POST', headers } = posting
  const body = bodyOf(posting)
  try {
    const answer = await request(`${origin}${path}`, {
      method,
      headers: {
        host,
        accept: 'application/json, text/event-stream',
        ...(body && { 'content-type': body.type }),
        ...headers,
      },
      ...(body && { body: body.text }),
    })
    const text = await answer.body.text()
    const { location = '', 'set-cookie': cookies = [] } = answer.headers
    return {
      status: answer.statusCode,
      body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {},
      text,
      location: String(location),
      setCookies: [cookies].flat(),
    }
  } catch {
    return { status: noStatus, body: {}, text: '', location: '', setCookies: [] }
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
  const databaseUrl = first.env['CASTELLAN_DATABASE__URL'] ?? `sqlite:${join(first.dataDir, 'castellan.db')}`
  const own = {
    ...first.env,
    CASTELLAN_DATA_DIR: dataDir,
    CASTELLAN_GATEWAY__PORT: String(gateway),
    CASTELLAN_GATEWAY__PUBLIC_URL: first.gatewayUrl,
    CASTELLAN_ADMIN__PORT: String(admin),
    CASTELLAN_DATABASE__URL: databaseUrl,
  }
  const start = async () => {
    const program = startProgram(process.execPath, [launcher, 'up'], { env: own })
    await program.waitFor(/^\{.*"event":"ready".*\}$/m)
    return program
  }
  let second = await start()
  const gateways = [first.gatewayUrl, `http://localhost:${gateway}`]
  const admins = [first.adminUrl, `http://localhost:${admin}`]
  return {
    first,
    databaseUrl,
    gateways,
    admins,
    secondEnv: own,
    post(node, posting) {
      const origin = (posting.to === 'admin' ? admins : gateways)[node] ?? ''
      return send(origin, posting.to === 'admin' ? new URL(origin).host : host, posting)
    },
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
