/**
 * What do pages look like? The stylesheets and the mark that they load, read once, under the paths they are served at.
 * Stops: a path from reaching any other file: the list is closed.
 * Trusts: the files that lie beside this module.
 * Fails: at start, when one is missing.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** A file as it is served. */
export interface LookFile {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly contentType: string
}

const css = 'text/css; charset=utf-8'

function read(path: string, contentType: string): LookFile {
  return { bytes: new Uint8Array(readFileSync(new URL(path, import.meta.url))), contentType }
}

function together(...files: readonly LookFile[]): LookFile {
  return { bytes: new Uint8Array(Buffer.concat(files.map(({ bytes }) => bytes))), contentType: css }
}

/** The tokens and parts that every page of Castellan has, on both listeners. */
export const theme = together(read('./theme.css', css), read('./parts.css', css))

/** The mark, as an icon and beside the name. */
export const mark = read('./mark.svg', 'image/svg+xml')

const lookFiles = new Map<string, LookFile>([
  ['/assets/castellan.css', together(theme, read('./pages.css', css))],
  ['/assets/mark.svg', mark],
  ['/assets/recover.js', read('./recover.js', 'text/javascript; charset=utf-8')],
  ['/assets/passkey.js', read('./passkey.js', 'text/javascript; charset=utf-8')],
])

/** The file at a path below `/assets/`; undefined when there is none. */
export function lookFileAt(path: string): LookFile | undefined {
  return lookFiles.get(path)
}

function addressOf(path: string, { bytes }: LookFile): string {
  return `${path}?v=${createHash('sha256').update(bytes).digest('base64url').slice(0, 12)}`
}

const addresses = new Map([...lookFiles].map(([path, file]) => [path, addressOf(path, file)]))

/** The address of a file: with a part of its hash, so that a browser may keep it until it changes. */
export function lookAddress(path: string): string {
  return addresses.get(path) ?? path
}
