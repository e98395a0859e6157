import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { CliFailure, interrupted } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { canShowQr, qrLines, qrWidth } from '../terminal/qr-code.ts'
import { adminScope, type AuthorizationServer, clientId, postForm, textIn } from './authorization-server.ts'
import type { SavedSession } from './session-store.ts'

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'
const secondMs = 1_000
// SPEC: RFC 8628, section 3.2 and 3.5: five seconds unless told; five more each time the server asks for it.
const usualInterval = 5
const slowerBy = 5
const longestLife = 1_800

interface Begun {
  readonly deviceCode: string
  readonly userCode: string
  readonly address: string
  readonly complete: string
  readonly lifeSeconds: number
  readonly intervalSeconds: number
}

/** Tokens of a terminal, before it is known whose they are. */
export type Tokens = Omit<SavedSession, 'name'>

function refused(body: Readonly<Record<string, unknown>>, status: number): CliFailure {
  const says = textIn(body, 'error_description') || textIn(body, 'error') || `status ${status}`
  const hint = 'run `castellan login --terminal`, or ask an administrator whether terminals are blocked'
  return new CliFailure('signIn', 'cli.sign-in-refused', `the server does not sign terminals in: ${says}`, hint)
}

function secondsOf(value: unknown, otherwise: number, most: number): number {
  return typeof value === 'number' && value > 0 ? Math.min(value, most) : otherwise
}

async function begin({ resource, deviceEndpoint }: AuthorizationServer): Promise<Begun> {
  const agent = `castellan on ${hostname().replaceAll(/[^\w.-]/g, '')}`
  const fields = { client_id: clientId, scope: adminScope, resource }
  const { status, body } = await postForm(deviceEndpoint, fields, agent)
  const begun = {
    deviceCode: textIn(body, 'device_code'),
    userCode: textIn(body, 'user_code'),
    address: textIn(body, 'verification_uri'),
    complete: textIn(body, 'verification_uri_complete'),
    lifeSeconds: secondsOf(body['expires_in'], longestLife, longestLife),
    intervalSeconds: secondsOf(body['interval'], usualInterval, longestLife),
  }
  if (status !== 200 || begun.deviceCode === '' || begun.userCode === '') throw refused(body, status)
  return begun
}

function show({ output, terminal }: Invocation, { address, complete, userCode }: Begun): void {
  output.say('')
  output.say('Open this address in a browser, here or on another device:')
  output.say('')
  output.say('    ', { text: address, tone: 'strong' })
  output.say('')
  output.say('and type this code there:')
  output.say('')
  output.say('    ', { text: [...userCode].join(' '), tone: 'strong' })
  output.say('')
  const columns = terminal.stderr.columns ?? 80
  const canScan = terminal.stderr.isTTY === true && complete !== ''
  if (canScan && canShowQr(terminal.environment, { columns, neededCells: qrWidth(complete) }))
    output.art(qrLines(complete))
  output.say('Give the code to nobody: whoever allows it signs this terminal in as themselves.')
}

/** What a terminal keeps of an answer of the token endpoint; undefined when it is none. */
export function tokensOf(
  body: Readonly<Record<string, unknown>>,
  { tokenEndpoint, revocationEndpoint }: Pick<AuthorizationServer, 'tokenEndpoint' | 'revocationEndpoint'>,
  nowMs: number,
): Tokens | undefined {
  const token = textIn(body, 'access_token')
  const refreshToken = textIn(body, 'refresh_token')
  if (token === '' || refreshToken === '') return undefined
  const expiresAt = nowMs + secondsOf(body['expires_in'], 1, longestLife * 2) * secondMs
  return { token, expiresAt, renewal: { refreshToken, tokenEndpoint, revocationEndpoint } }
}

function over(code: 'cli.sign-in-denied' | 'cli.sign-in-expired', message: string): CliFailure {
  return new CliFailure('signIn', code, message, 'run `castellan login` again')
}

type Poll = Tokens | { readonly slower: boolean }

async function poll(server: AuthorizationServer, { deviceCode }: Begun, nowMs: number): Promise<Poll> {
  const fields = { client_id: clientId, grant_type: deviceGrant, device_code: deviceCode }
  // SPEC: RFC 8628, section 3.5: a client that gets no answer asks less often.
  const { status, body } = await postForm(server.tokenEndpoint, fields).catch(() => ({ status: 0, body: {} }))
  if (status === 200) return tokensOf(body, server, nowMs) ?? Promise.reject(refused({}, status))
  const error = textIn(body, 'error')
  if (error === 'access_denied') throw over('cli.sign-in-denied', 'the sign-in was denied in the browser')
  if (error === 'expired_token' || error === 'invalid_grant')
    throw over('cli.sign-in-expired', 'nobody allowed the sign-in in time')
  if (status !== 0 && status < 500 && status !== 429 && error !== 'authorization_pending' && error !== 'slow_down')
    throw refused(body, status)
  return { slower: error !== 'authorization_pending' }
}

function timeLeft(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / secondMs))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

interface Waiting {
  readonly output: Invocation['output']
  readonly stop: AbortSignal
  /** How long the code still lasts. */
  leftMs: number
}

/** Waits between two questions, and shows how long there is. @throws CliFailure when interrupted, or when time is up */
async function pause(waiting: Waiting, pauseMs: number): Promise<void> {
  const { output, stop } = waiting
  for (let waitedMs = 0; waitedMs < pauseMs; waitedMs += secondMs) {
    output.live(`Waiting until you allow it in the browser  ${timeLeft(waiting.leftMs)} left`)
    await sleep(secondMs, undefined, { signal: stop }).catch(() => undefined)
    if (stop.aborted) throw interrupted()
    waiting.leftMs -= secondMs
  }
  if (waiting.leftMs <= 0) throw over('cli.sign-in-expired', 'nobody allowed the sign-in in time')
}

async function wait(invocation: Invocation, server: AuthorizationServer, begun: Begun, stop: AbortSignal) {
  const waiting = { output: invocation.output, stop, leftMs: begun.lifeSeconds * secondMs }
  let intervalMs = begun.intervalSeconds * secondMs
  for (;;) {
    await pause(waiting, intervalMs)
    const answer = await poll(server, begun, invocation.terminal.now())
    if ('token' in answer) return answer
    if (answer.slower) intervalMs += slowerBy * secondMs
  }
}

/** Signs this terminal in by a browser. Nothing is kept of one that was interrupted. @throws CliFailure */
export async function signInByBrowser(invocation: Invocation, server: AuthorizationServer): Promise<Tokens> {
  const stop = new AbortController()
  const unheard = invocation.terminal.onStopSignal(() => stop.abort())
  try {
    const begun = await begin(server)
    show(invocation, begun)
    return await wait(invocation, server, begun, stop.signal)
  } finally {
    invocation.output.live('')
    unheard()
  }
}
