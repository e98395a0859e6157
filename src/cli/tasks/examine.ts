import { readdirSync, statSync, type Stats } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { LoadedConfig } from '#platform/config'
import { changesApi } from '../policy/changes-api.ts'
import { adminApi } from '../remote/api.ts'
import { asFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { examineNetworks, examineTls } from './examine-edge.ts'

/** What one check found. */
export interface Finding {
  readonly name: string
  readonly state: 'ok' | 'warn' | 'fail'
  readonly says: string
  readonly hint?: string
}

type Check = (invocation: Invocation, loaded: LoadedConfig) => Promise<Finding>

// WHY: the document of RFC 9728 is public and the same for every name, so asking for it leaves nothing in the ledger.
const metadataPath = '/.well-known/oauth-protected-resource/servers/any/mcp'
const othersBits = 0o077
const quickLedgerBytes = 128 * 1024 * 1024
const answerTimeoutMs = 3_000
const clockToleranceMs = 10_000

const checkFolder: Check = async (_invocation, { config }) => {
  const name = 'data folder'
  const folder: Stats | undefined = statSync(config.dataDir, { throwIfNoEntry: false })
  if (folder === undefined) {
    return { name, state: 'warn', says: `${config.dataDir} is not there yet`, hint: '`castellan up` makes it' }
  }
  const exposed = ['.', ...readdirSync(config.dataDir)].filter(
    (file) => ((statSync(join(config.dataDir, file), { throwIfNoEntry: false })?.mode ?? 0) & othersBits) !== 0,
  )
  if (exposed.includes('.')) {
    return { name, state: 'fail', says: `others can reach ${config.dataDir}`, hint: `chmod 700 ${config.dataDir}` }
  }
  const open = exposed.filter((file) => !file.endsWith('.pub'))
  if (open.length > 0) {
    return { name, state: 'warn', says: `not for the owner only: ${open.join(', ')}`, hint: 'chmod 600 these files' }
  }
  return { name, state: 'ok', says: `${config.dataDir}, for its owner only` }
}

interface Answer {
  readonly status: number
  readonly date: string | undefined
}

async function ask(url: string): Promise<Answer | undefined> {
  const { Agent, request } = await import('undici')
  const agent = new Agent({
    connect: { timeout: answerTimeoutMs },
    headersTimeout: answerTimeoutMs,
    bodyTimeout: answerTimeoutMs,
  })
  try {
    const { statusCode, headers, body } = await request(url, { dispatcher: agent })
    await body.dump()
    const { date } = headers
    return { status: statusCode, date: typeof date === 'string' ? date : undefined }
  } catch {
    return undefined
  } finally {
    await agent.destroy()
  }
}

function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)))
  })
}

async function checkListener(
  name: string,
  listener: { publicUrl: string; port: number },
  path: string,
): Promise<Finding> {
  const answer = await ask(new URL(path, listener.publicUrl).href)
  if (answer?.status === 200) return { name, state: 'ok', says: `${listener.publicUrl} answers` }
  if (answer !== undefined) {
    const hint = `look what runs on port ${listener.port}, and check \`${name}.publicUrl\``
    return { name, state: 'fail', says: `${listener.publicUrl} answers with status ${answer.status}`, hint }
  }
  if (await isPortFree(listener.port)) {
    return {
      name,
      state: 'warn',
      says: `port ${listener.port} is free: nothing is running`,
      hint: 'start it with `castellan up`',
    }
  }
  const hint = `end that program, or choose another port with \`castellan up --${name}-port\``
  return {
    name,
    state: 'fail',
    says: `port ${listener.port} is taken, and ${listener.publicUrl} does not answer`,
    hint,
  }
}

const checkReadiness: Check = async (_invocation, { config }) => {
  const name = 'readiness'
  const answer = await ask(new URL('/readyz', config.admin.publicUrl).href)
  if (answer === undefined) return { name, state: 'warn', says: 'not running' }
  if (answer.status === 200) return { name, state: 'ok', says: 'ledger and policy can be used' }
  return {
    name,
    state: 'fail',
    says: 'it does not take calls',
    hint: 'free disk space, check the data folder and the database',
  }
}

const checkLedger: Check = async (_invocation, { config }) => {
  const name = 'ledger'
  const file = statSync(join(config.dataDir, 'ledger.db'), { throwIfNoEntry: false })
  if (file === undefined) return { name, state: 'warn', says: 'there is none yet', hint: '`castellan up` makes it' }
  if (file.size > quickLedgerBytes) {
    return { name, state: 'ok', says: 'too large to check in passing', hint: 'run `castellan audit verify`' }
  }
  const { verifyLedger } = await import('#audit')
  const { holds, size, firstProblem } = await verifyLedger({ folder: config.dataDir })
  if (holds) return { name, state: 'ok', says: `${size} entries, verified` }
  const where = firstProblem === undefined ? '' : `: entry ${firstProblem.seq} ${firstProblem.kind}`
  return { name, state: 'fail', says: `it does not hold${where}`, hint: 'run `castellan audit verify`' }
}

const checkClock: Check = async ({ terminal }, { config }) => {
  const name = 'clock'
  const answer = await ask(new URL('/livez', config.admin.publicUrl).href)
  const serverMs = Date.parse(answer?.date ?? '')
  if (Number.isNaN(serverMs)) return { name, state: 'ok', says: new Date(terminal.now()).toISOString() }
  const differenceMs = Math.abs(serverMs - terminal.now())
  if (differenceMs <= clockToleranceMs) return { name, state: 'ok', says: 'agrees with the server' }
  const says = `${Math.round(differenceMs / 1_000)} s apart from the server`
  return { name, state: 'warn', says, hint: 'codes of authenticator apps need the right time: turn on NTP' }
}

const checkSession: Check = async (invocation) => {
  const name = 'session'
  const saved = await invocation.session()
  if (saved === undefined) return { name, state: 'warn', says: 'not signed in', hint: 'run `castellan login`' }
  const { person } = await adminApi(await invocation.client(saved.token)).session.me()
  const until = saved.renewal === undefined ? `until ${new Date(saved.expiresAt).toISOString()}` : 'by a browser'
  return { name, state: 'ok', says: `${person.name}, ${until}` }
}

const checkPolicy: Check = async (invocation) => {
  const name = 'policy'
  const saved = await invocation.session()
  if (saved === undefined) return { name, state: 'warn', says: 'not looked at', hint: 'run `castellan login`' }
  const { version, isDistrusted } = await changesApi(await invocation.client(saved.token)).current()
  if (!isDistrusted) return { name, state: 'ok', says: `snapshot ${version} is in force` }
  const says = `snapshot ${version} denies everything: Cedar's own engine disagreed with a decision by it`
  return {
    name,
    state: 'fail',
    says,
    hint: 'publish other rules; `castellan audit list --event policy.distrusted` tells which decision it was',
  }
}

const checks: readonly (readonly [name: string, check: Check])[] = [
  ['data folder', checkFolder],
  ['gateway TLS', ({ terminal }, loaded) => examineTls('gateway', loaded, terminal.now())],
  ['admin TLS', ({ terminal }, loaded) => examineTls('admin', loaded, terminal.now())],
  ['networks', (_invocation, loaded) => examineNetworks(loaded)],
  ['gateway', (_invocation, { config }) => checkListener('gateway', config.gateway, metadataPath)],
  ['admin', (_invocation, { config }) => checkListener('admin', config.admin, '/livez')],
  ['readiness', checkReadiness],
  ['ledger', checkLedger],
  ['clock', checkClock],
  ['session', checkSession],
  ['policy', checkPolicy],
]

async function attempt(name: string, check: () => Promise<Finding>): Promise<Finding> {
  try {
    return await check()
  } catch (error) {
    const { message, hint, reason } = asFailure(error)
    return { name, state: reason === 'signIn' || reason === 'unreachable' ? 'warn' : 'fail', says: message, hint }
  }
}

/** Looks at this installation without changing it. */
export async function examine(invocation: Invocation): Promise<Finding[]> {
  const node: Finding = { name: 'node', state: 'ok', says: process.versions.node }
  let loaded: LoadedConfig
  try {
    loaded = await invocation.loadConfig()
  } catch (error) {
    const { message, hint } = asFailure(error)
    return [node, { name: 'config', state: 'fail', says: message, hint }]
  }
  const findings: Finding[] = [node, { name: 'config', state: 'ok', says: loaded.file ?? 'no file, defaults' }]
  for (const [name, check] of checks) findings.push(await attempt(name, () => check(invocation, loaded)))
  return findings
}
