import type { TestClock } from './clock.ts'
import { oneTimeCode } from './one-time-code.ts'

/** An answer of the admin API or the gateway. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

export interface Person {
  readonly name: string
  readonly password: string
  /** Base32, as shown at enrolment. */
  readonly secret: string
  readonly recoveryCodes: readonly string[]
  /** A one-time code that was not used before: moves the clock to a step of its own. */
  nextCode(): string
  signIn(): Promise<void>
  /** The session token of the last sign-in. */
  sessionToken(): string
  /** Calls the admin API as this person. */
  api(method: string, path: string, body?: unknown): Promise<Answer>
  /** A personal access token for one upstream, or for a path such as `/mcp`. */
  mint(upstream: string, ttlSeconds?: number): Promise<string>
}

export interface PersonPlaces {
  readonly adminUrl: string
  readonly gatewayUrl: string
  readonly clock: TestClock
}

/** The path of an upstream; a path stays what it is. */
export function pathOf(upstream: string): string {
  return upstream.startsWith('/') ? upstream : `/servers/${upstream}/mcp`
}

const stepMs = 30_000

/** One request to the admin API; `token` signs it. */
export async function callAdmin(
  adminUrl: string,
  request: { method: string; path: string; body?: unknown; token?: string | undefined },
): Promise<Answer> {
  const response = await fetch(`${adminUrl}/api/v1${request.path}`, {
    method: request.method,
    headers: {
      ...(request.token === undefined ? {} : { authorization: `Bearer ${request.token}` }),
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
  })
  const text = await response.text()
  const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  return { status: response.status, headers: response.headers, body }
}

/** Enrols through the same API as the set-up page, with the token of a set-up or invitation link. */
export async function enrol(places: PersonPlaces, token: string, name: string): Promise<Person> {
  const { adminUrl, gatewayUrl, clock } = places
  const password = `correct horse battery ${name}`
  const post = (path: string, body: unknown) => callAdmin(adminUrl, { method: 'POST', path, body })
  const chosen = await post('/enrolments/choose', { token, name, password })
  if (chosen.status !== 200) throw new Error(`enrolment of ${name} refused: ${JSON.stringify(chosen.body)}`)
  const secret = String(chosen.body['secret'])
  const nextCode = (): string => {
    clock.advance(stepMs)
    return oneTimeCode(secret, clock.now())
  }
  const finished = await post('/enrolments/finish', { token, code: nextCode() })
  if (finished.status !== 200) throw new Error(`enrolment of ${name} refused: ${JSON.stringify(finished.body)}`)
  let session = ''
  const person: Person = {
    name,
    password,
    secret,
    recoveryCodes: finished.body['recoveryCodes'] as string[],
    nextCode,
    async signIn() {
      const signedIn = await post('/sign-in', { name, password, code: nextCode() })
      if (signedIn.status !== 200) throw new Error(`sign-in of ${name} refused: ${JSON.stringify(signedIn.body)}`)
      session = String(signedIn.body['token'])
    },
    sessionToken: () => session,
    api: (method, path, body) => callAdmin(adminUrl, { method, path, body, token: session }),
    async mint(upstream, ttlSeconds = 3600) {
      const resource = `${gatewayUrl}${pathOf(upstream)}`
      const minted = await person.api('POST', '/tokens', { label: `${name} test`, resource, ttlSeconds })
      if (typeof minted.body['token'] !== 'string') throw new Error(`mint refused: ${JSON.stringify(minted.body)}`)
      return minted.body['token']
    },
  }
  await person.signIn()
  return person
}
