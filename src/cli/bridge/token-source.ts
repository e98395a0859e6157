import { readFileSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { adminApi } from '../remote/api.ts'

/** Where the bridge's access token comes from. It is never an argument: everybody on a machine can read those. */
export interface TokenSource {
  current(): Promise<string>
  /** Gets another one after the server refused the last. @returns whether there is one */
  renew(): Promise<boolean>
  /** Ends a token that was made for this run. */
  end(): Promise<void>
}

const ownTokenSeconds = 12 * 3_600
const shortestTokenMs = 60_000

function checked(token: string, place: string): string {
  if (/^[\u0021-\u007e]{1,4096}$/.test(token)) return token
  throw new CliFailure(
    'usage',
    'bridge.bad-token',
    `${place} holds no access token`,
    'make one with `castellan connect`',
  )
}

function readTokenFile(path: string): string {
  let text: string
  try {
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
      const message = `others on this machine can read \`${path}\``
      throw new CliFailure('usage', 'bridge.token-exposed', message, `run \`chmod 600 ${path}\``)
    }
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof CliFailure) throw error
    const hint = 'give the path of a file that you can read, or run `castellan connect` again'
    throw new CliFailure('usage', 'bridge.no-token-file', `the token file \`${path}\` cannot be read`, hint)
  }
  return checked(text.trim(), `\`${path}\``)
}

function fromFile(path: string): TokenSource {
  let token = readTokenFile(path)
  return {
    current: () => Promise.resolve(token),
    renew() {
      const found = readTokenFile(path)
      const isNew = found !== token
      token = found
      return Promise.resolve(isNew)
    },
    end: () => Promise.resolve(),
  }
}

function fixed(token: string): TokenSource {
  return { current: () => Promise.resolve(token), renew: () => Promise.resolve(false), end: () => Promise.resolve() }
}

/** Tokens of the signed-in person, for this one resource, each ended with the run. */
async function fromSignIn(invocation: Invocation, url: string): Promise<TokenSource> {
  const api = adminApi(await invocation.signedIn())
  const made: string[] = []
  const mint = async (): Promise<string> => {
    const label = `castellan bridge on ${hostname()}`.slice(0, 60)
    const { token, view } = await api.tokens.create({ label, resource: url, ttlSeconds: ownTokenSeconds })
    made.push(view.id)
    return token
  }
  let token = mint()
  let madeAtMs = invocation.terminal.now()
  return {
    current: () => token,
    async renew() {
      const nowMs = invocation.terminal.now()
      // WHY: several requests are refused at once when a token ends, and one that is new is not the reason.
      if (nowMs - madeAtMs > shortestTokenMs) {
        madeAtMs = nowMs
        token = mint()
      }
      await token
      return true
    },
    async end() {
      await Promise.allSettled(made.splice(0).map((id) => api.tokens.revoke(id)))
    },
  }
}

/**
 * `--token-file` first, then CASTELLAN_TOKEN, then the sign-in of `castellan login`.
 * @throws CliFailure `bridge.bad-token`, `bridge.no-token-file`, `bridge.token-exposed`, `cli.not-signed-in`
 */
export async function openTokenSource(
  invocation: Invocation,
  { url, tokenFile }: { url: string; tokenFile: string | undefined },
): Promise<TokenSource> {
  if (tokenFile !== undefined) return fromFile(tokenFile)
  const token = invocation.terminal.environment['CASTELLAN_TOKEN']
  if (token !== undefined && token !== '') return fixed(checked(token, 'CASTELLAN_TOKEN'))
  const source = await fromSignIn(invocation, url)
  await source.current()
  return source
}
