import { readFileSync } from 'node:fs'

/** Version of the package this file is part of, in a checkout and when published. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
