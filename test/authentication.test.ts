import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readTree } from './architecture/tree.ts'
import { controls } from './controls.ts'
import { startWorld } from './world/castellan.ts'

/** Rows of the tables of ways, as cells. */
const rows = readFileSync('docs/authentication.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter((cells) => cells.length === 7 && cells[1] !== 'way' && cells[1]?.startsWith('---') !== true)
const named = rows.flatMap((cells) => [...(cells[4] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))

function textsIn(path: string, pattern: RegExp): readonly string[] {
  const [, found = ''] = pattern.exec(readFileSync(path, 'utf8')) ?? []
  return [...found.replaceAll(/\/\*.*?\*\//gs, '').matchAll(/'([^']+)'/g)].map(([, text = '']) => text)
}

function openRoutes(): readonly string[] {
  const route = /openRoute\(\{\s*method: '([A-Z]+)',\s*path: '([^']+)'/g
  return readTree().texts.flatMap(({ path, text }) =>
    path.startsWith('src/admin/resources/') ? [...text.matchAll(route)].map(([, verb, at]) => `${verb} ${at}`) : [],
  )
}

async function grantTypes(): Promise<readonly string[]> {
  const world = await startWorld({ env: { CASTELLAN_OAUTH__ASSERTION_ISSUERS: 'https://login.example.com' } })
  const metadata = await fetch(`${world.gatewayUrl}/.well-known/oauth-authorization-server`)
  return ((await metadata.json()) as { grant_types_supported: readonly string[] }).grant_types_supported
}

test('the page of ways to prove who one is has each factor, kind of token, grant and open route of the code, and no other', async () => {
  const kinds = textsIn('src/kernel/principal.ts', /readonly kind: ([^\n]+)/)
  const factors = textsIn('src/kernel/principal.ts', /export type Factor =([^\n]*\n(?: {2}[^\n]*\n)+)/)
  const prefixes = textsIn('src/identity/credentials/opaque-token.ts', /const prefixes[^{]*\{([^}]+)\}/).filter((one) =>
    one.endsWith('_'),
  )
  expect([factors.length, prefixes.length, kinds.length]).toEqual([8, 7, 4])
  const known = [...factors, ...prefixes, ...kinds, ...openRoutes(), ...(await grantTypes())]
  expect([...new Set(named)].toSorted()).toEqual([...new Set(known)].toSorted())
})

test('each way is held by controls that there are', () => {
  expect(rows.length).toBeGreaterThan(15)
  const ids: readonly string[] = Object.keys(controls)
  for (const cells of rows) {
    const own = (cells[5] ?? '').split(' ')
    expect([cells[1], own.filter((id) => !ids.includes(id))]).toEqual([cells[1], []])
  }
})
