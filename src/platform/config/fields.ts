import { isIP } from 'node:net'
import { z } from 'zod'

const maxListEntries = 1_000

/** In no value is a control character meant; in a path or an address it would end up where it means something. */
export const text = z.string('expected a text').regex(/^[^\x00-\x1f\x7f]*$/, 'expected no control characters')

export const yesOrNo = z.boolean('expected true or false')

export const port = count(0, 65_535)

export function count(smallest: number, largest: number) {
  return z
    .int('expected a whole number')
    .min(smallest, `expected at least ${smallest}`)
    .max(largest, `expected at most ${largest}`)
}

/** Made absolute before it is checked: relative to the file that names it, else to the working folder. */
export const path = text.min(1, 'expected a path')

/** A list of texts without repetition. @param says what one of them must be */
export function list(entry: z.ZodType<string, string>, smallest = 0) {
  return z
    .array(entry, 'expected a list')
    .min(smallest, `expected at least ${smallest}`)
    .max(maxListEntries, `expected at most ${maxListEntries}`)
    .refine((entries) => new Set(entries).size === entries.length, 'expected each of them once')
}

/** `10.0.0.0/8`, `fd00::/8` or one address. */
export const network = text.refine(isNetwork, 'expected an address or a network, such as `10.0.0.0/8` or `fd00::/8`')

function isNetwork(written: string): boolean {
  const [address = '', bits, ...rest] = written.split('/')
  const version = address.includes('%') ? 0 : isIP(address)
  if (version === 0 || rest.length > 0) return false
  return bits === undefined || (/^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}

export const address = text.refine((written) => isIP(written) !== 0, 'expected an IP address, such as `127.0.0.1`')

/** An address that only programs on this machine can reach. */
export function isLoopbackAddress(written: string): boolean {
  return written === '::1' || (isIP(written) === 4 && written.startsWith('127.'))
}

const hostPattern = /^(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/

/** As a client names it in `Host`: a name or address, with the port unless it is that of the scheme. */
export const host = text.toLowerCase().regex(hostPattern, 'expected a host, such as `mcp.example.com:8443`')

const originPattern = /^[a-z][a-z0-9+.-]*:\/\/(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/

/** As a browser names it in `Origin`. */
export const origin = text.toLowerCase().regex(originPattern, 'expected an origin, such as `https://app.example.com`')

export const publicUrl = text.transform((written, context) => {
  const url = safeUrl(written)
  if (url !== undefined && url.pathname === '/' && url.search === '') return url.origin
  context.addIssue('expected `https://host` or `http://localhost:port`, without a path')
  return z.NEVER
})

/** Where something is sent to: encrypted, or on this machine. */
export const endpoint = text.transform((written, context) => {
  const url = safeUrl(written)
  if (url !== undefined) return url.href
  context.addIssue('expected `https://host/path` or `http://localhost:port/path`, without an account')
  return z.NEVER
})

function safeUrl(written: string): URL | undefined {
  const url = URL.canParse(written) ? new URL(written) : undefined
  if (url === undefined || url.hash !== '' || url.username !== '' || url.password !== '') return undefined
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackName(url.hostname))
  return isSafe ? url : undefined
}

function isLoopbackName(hostname: string): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}
