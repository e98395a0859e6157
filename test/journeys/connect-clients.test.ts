import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { forAllTests } from '../ending.ts'
import { cases, secret } from '../world/machine/client-files.ts'
import { leftovers, openHome, openStage, put } from '../world/machine/client-home.ts'

const stage = forAllTests(openStage)
const url = () => `${stage().world.gatewayUrl}/servers/books/mcp`

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], value)
}

/** What is left of a file's meaning when what castellan added is taken out. */
function withoutOurs(value: unknown, at: readonly string[]): unknown {
  const rest = structuredClone(value) as Record<string, unknown>
  const holder = valueAt(rest, at.slice(0, -1)) as Record<string, unknown> | unknown[]
  if (Array.isArray(holder)) holder.pop()
  else delete holder[at.at(-1) ?? '']
  delete rest['inputs']
  return rest
}

describe.each(cases)('$client', ({ client, file, read, before, at, entry }) => {
  test('a file that somebody has gets one entry, keeps every line it had, and is given back byte for byte', async () => {
    const { home, run, write } = openHome(stage())
    const path = join(home, file)
    put(path, before, 0o640)
    const preview = await run(client, '--upstream', 'books', '--json')
    expect(preview.code, preview.err).toBe(0)
    expect(preview.all).not.toContain(secret)
    expect(readFileSync(path, 'utf8')).toBe(before)
    const written = await write(client)
    expect(written.code, written.err).toBe(0)
    expect(written.all).not.toContain(secret)
    const text = readFileSync(path, 'utf8')
    expect(valueAt(read(text), at)).toEqual(entry(url()))
    expect(withoutOurs(read(text), at)).toEqual(read(before))
    for (const line of before.split('\n')) expect(text).toContain(line.trimEnd().replace(/,$/, ''))
    expect(statSync(path).mode & 0o777).toBe(0o640)
    const [backup] = leftovers(path)
    expect(statSync(join(dirname(path), backup ?? '')).mode & 0o777).toBe(0o600)
    expect((await run('undo', client, '--yes')).code).toBe(0)
    expect(readFileSync(path, 'utf8')).toBe(before)
    expect(leftovers(path)).toEqual([])
  })

  test('a file that is not there is made for its owner only, and taken away again', async () => {
    const { home, run, write } = openHome(stage())
    const path = join(home, file)
    expect((await write(client)).code).toBe(0)
    const first = at.at(-1) === '1' ? ['mcpServers', '0'] : at
    expect(valueAt(read(readFileSync(path, 'utf8')), first)).toEqual(entry(url()))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect((await run('undo', '--yes')).code).toBe(0)
    expect(existsSync(path)).toBe(false)
  })

  test('an entry that is there is brought up to date, and what its person added to it stays', async () => {
    const { home, write, run } = openHome(stage())
    const path = join(home, file)
    put(path, before)
    await write(client)
    const once = readFileSync(path, 'utf8')
    await write(client)
    const twice = readFileSync(path, 'utf8')
    const tokenOf = /cst_[\w-]+/
    expect(twice.replace(tokenOf, '')).toBe(once.replace(tokenOf, ''))
    expect((await run('undo', client, '--yes')).code).toBe(0)
    expect(readFileSync(path, 'utf8')).toBe(twice === once ? before : once)
  })
})
