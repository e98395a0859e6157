import { isIP } from 'node:net'
import { Secret } from '#kernel'
import { z } from 'zod'
import { isLoopbackAddress, text } from './fields.ts'
import { weaknessOf } from './weak-secret.ts'

const passwordChars = 12

/** `sqlite:`, `sqlite:/path` or `postgres://…`; a PostgreSQL far away needs a password that is worth its name. */
export const databaseUrl = text.transform((written, context) => {
  const problem = written.startsWith('sqlite:') ? undefined : postgresProblem(written)
  if (problem === undefined) return new Secret(written)
  context.addIssue(problem)
  return z.NEVER
})

function postgresProblem(written: string): string | undefined {
  if (!/^postgres(ql)?:\/\//.test(written) || !URL.canParse(written)) {
    return 'expected `sqlite:`, `sqlite:/path/to/file` or `postgres://user@host/name`'
  }
  const url = new URL(written)
  const password = passwordOf(url)
  if (password !== '') {
    const names = [decoded(url.username), url.hostname, decoded(url.pathname.slice(1))]
    const weakness = weaknessOf(password, { leastChars: passwordChars, names })
    return weakness === undefined ? undefined : `the password ${weakness}; give the account another one`
  }
  const hasCertificate = url.searchParams.has('sslcert') && url.searchParams.has('sslkey')
  if (hasCertificate || isOnThisMachine(lastOf(url, 'host') ?? decoded(url.hostname))) return undefined
  return 'expected a password, or a client certificate, for a database on another machine'
}

/** Whether the address of a database, which was accepted, holds one. */
export function hasPassword(written: string): boolean {
  return !written.startsWith('sqlite:') && passwordOf(new URL(written)) !== ''
}

function passwordOf(url: URL): string {
  return lastOf(url, 'password') ?? decoded(url.password)
}

/** What the client library takes when a name is given more than once. */
function lastOf(url: URL, name: string): string | undefined {
  return url.searchParams.getAll(name).at(-1)
}

/** A socket, written as a path or left out, or a loopback address. */
function isOnThisMachine(host: string): boolean {
  if (host === '' || host.startsWith('/') || host === 'localhost') return true
  const bare = host.replaceAll(/[[\]]/g, '')
  return isIP(bare) !== 0 && isLoopbackAddress(bare)
}

function decoded(component: string): string {
  try {
    return decodeURIComponent(component)
  } catch {
    return component
  }
}
