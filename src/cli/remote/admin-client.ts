import type { Agent, Dispatcher } from 'undici'
import { reasonOfStatus } from '../exit-codes.ts'
import { CliFailure } from '../failure.ts'

interface CallOptions {
  readonly body?: object
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly waitSeconds?: number
}

/** One request to the admin API: the answer's JSON, or a `CliFailure`. */
export type Call = (method: Dispatcher.HttpMethod, path: `/${string}`, options?: CallOptions) => Promise<unknown>

/** The same for an answer that comes line by line, each of them JSON; whoever stops reading ends it. */
export type ReadLines = (
  method: Dispatcher.HttpMethod,
  path: `/${string}`,
  options?: CallOptions,
) => AsyncGenerator<unknown, void>

export interface AdminClient {
  readonly adminUrl: string
  readonly call: Call
  readonly lines: ReadLines
  close(): Promise<void>
}

/** A token, or what is asked for one before each request. */
export type TokenSource = string | (() => Promise<string>)

const connectTimeoutMs = 5_000
const answerTimeoutMs = 60_000
const maxAnswerBytes = 64 * 1024 * 1024

/** The host of a URL that is reached unencrypted over a network; undefined of https, and of this machine. */
export function plaintextHost(text: string): string | undefined {
  const { protocol, hostname } = new URL(text)
  const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
  return protocol === 'https:' || (protocol === 'http:' && isLocal) ? undefined : hostname
}

/**
 * The origin of an admin URL. Passwords and sessions never travel in the clear: plain http is for this machine only.
 * @throws CliFailure `cli.bad-admin-url`, `cli.plaintext-admin-url`
 */
export function readAdminUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '') {
    const hint = 'use a URL such as http://localhost:8091 or https://castellan.example:8091'
    throw new CliFailure('usage', 'cli.bad-admin-url', `the admin URL \`${text}\` is not an http or https URL`, hint)
  }
  if (plaintextHost(url.href) !== undefined) {
    const hint = 'use its https URL, or a tunnel such as `ssh -L 8091:localhost:8091 <host>` and http://localhost:8091'
    throw new CliFailure(
      'usage',
      'cli.plaintext-admin-url',
      `\`${url.origin}\` would send your password unencrypted`,
      hint,
    )
  }
  return url.origin
}

const signInAgain: ReadonlySet<string> = new Set([
  'admin.not-signed-in',
  'identity.session-invalid',
  'identity.token-expired',
  'identity.token-invalid',
])

interface Problem {
  readonly code?: unknown
  readonly title?: unknown
  readonly hint?: unknown
  readonly request_id?: unknown
  readonly retry_after_seconds?: unknown
  readonly errors?: unknown
}

function fieldList(errors: unknown): string {
  if (!Array.isArray(errors)) return ''
  const fields = (errors as { pointer?: unknown; detail?: unknown }[]).map(
    (error) => `${String(error.pointer).replace(/^#\/(body|query|params)\/?/, '')}: ${String(error.detail)}`,
  )
  return fields.length === 0 ? '' : ` (${fields.join('; ')})`
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise
}

function hintOf(problem: Problem): string {
  if (signInAgain.has(String(problem.code))) return 'run `castellan login`'
  const { retry_after_seconds: waitSeconds } = problem
  if (typeof waitSeconds === 'number') return `wait ${waitSeconds} s, then try again`
  return textOr(problem.hint, 'run `castellan doctor`')
}

/** A refusal of the server, with its own code and hint. */
export function failureOfProblem(status: number, problem: Problem): CliFailure {
  const message = textOr(problem.title, `the server answered with status ${status}`) + fieldList(problem.errors)
  const requestId = typeof problem.request_id === 'string' ? problem.request_id : undefined
  return new CliFailure(
    reasonOfStatus(status),
    textOr(problem.code, 'cli.remote-error'),
    message,
    hintOf(problem),
    requestId,
  )
}

function unreadable(adminUrl: string, status: number): CliFailure {
  const message = `\`${adminUrl}\` answered with status ${status} and something that is not the admin API's JSON`
  return new CliFailure(
    'remote',
    'cli.answer-unreadable',
    message,
    'check that --admin-url points at the admin listener',
  )
}

function failureOfConnection(adminUrl: string, error: unknown): CliFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    const hint = 'the work may go on; look with `castellan audit tail`'
    return new CliFailure('timedOut', 'cli.no-answer', `\`${adminUrl}\` did not answer in time`, hint)
  }
  const hint = 'start it with `castellan up`, or name another with --admin-url'
  return new CliFailure('unreachable', 'cli.unreachable', `no castellan answers at \`${adminUrl}\` (${code})`, hint)
}

async function readAnswer(adminUrl: string, answer: Dispatcher.ResponseData): Promise<unknown> {
  const text = await answer.body.text()
  const { statusCode } = answer
  let body: unknown
  try {
    body = text === '' ? {} : JSON.parse(text)
  } catch {
    throw unreadable(adminUrl, statusCode)
  }
  if (statusCode >= 200 && statusCode < 300) return body
  if (typeof body !== 'object' || body === null) throw unreadable(adminUrl, statusCode)
  throw failureOfProblem(statusCode, body)
}

function urlOf(adminUrl: string, path: string, { query }: CallOptions): URL {
  const url = new URL(path, adminUrl)
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return url
}

async function* linesIn(adminUrl: string, answer: Dispatcher.ResponseData): AsyncGenerator<unknown, void> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of answer.body as AsyncIterable<Uint8Array>) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line)
  }
  // WHY: every line ends with its break; one that does not was cut off.
  if (rest !== '') throw unreadable(adminUrl, answer.statusCode)
}

function failureOf(adminUrl: string, error: unknown): CliFailure {
  if (error instanceof CliFailure) return error
  return error instanceof SyntaxError ? unreadable(adminUrl, 200) : failureOfConnection(adminUrl, error)
}

/**
 * Talks to one admin listener. Redirects are not followed: the session goes to the address it was made for.
 * @param token session token of `castellan login`, or who has one that is good at this moment
 */
export async function openAdminClient(adminUrl: string, token?: TokenSource): Promise<AdminClient> {
  const { Agent: AgentOfUndici, request } = await import('undici')
  const agent: Agent = new AgentOfUndici({ connect: { timeout: connectTimeoutMs }, maxResponseSize: maxAnswerBytes })
  // WHY: of a stream no more is kept than one line.
  const streams: Agent = new AgentOfUndici({ connect: { timeout: connectTimeoutMs } })

  async function send(url: URL, method: Dispatcher.HttpMethod, asked: CallOptions & { readonly dispatcher: Agent }) {
    const { body, waitSeconds = 0, dispatcher } = asked
    const timeoutMs = answerTimeoutMs + waitSeconds * 1_000
    const presented = typeof token === 'function' ? await token() : token
    return request(url, {
      method,
      dispatcher,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      headers: {
        accept: 'application/json, application/x-ndjson',
        'user-agent': 'castellan-cli',
        ...(presented === undefined ? {} : { authorization: `Bearer ${presented}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }

  return {
    adminUrl,
    async call(method, path, options = {}) {
      try {
        return await readAnswer(
          adminUrl,
          await send(urlOf(adminUrl, path, options), method, { ...options, dispatcher: agent }),
        )
      } catch (error) {
        throw failureOf(adminUrl, error)
      }
    },
    async *lines(method, path, options = {}) {
      try {
        const answer = await send(urlOf(adminUrl, path, options), method, { ...options, dispatcher: streams })
        if (answer.statusCode >= 300) await readAnswer(adminUrl, answer)
        else yield* linesIn(adminUrl, answer)
      } catch (error) {
        throw failureOf(adminUrl, error)
      }
    },
    async close() {
      await Promise.all([agent.destroy(), streams.destroy()])
    },
  }
}
