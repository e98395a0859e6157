import { expect, test } from 'vitest'
import { importedPackages, publishedManifest, rewriteAddresses } from './build.ts'

const manifest = {
  name: 'castellan',
  version: '1.2.3',
  description: 'x',
  license: 'Apache-2.0',
  engines: { node: '>=24.7' },
  bin: { castellan: 'bin/castellan.js' },
  imports: { '#kernel': './src/kernel/index.ts' },
  dependencies: { zod: '4.6.7', pg: '8.23.1' },
  devDependencies: { vitest: '5.1.1', '@modelcontextprotocol/server': '2.4.0' },
}

test('addresses of sibling files lead to the compiled ones', () => {
  const text = "new Worker(new URL('./ledger-worker.ts', import.meta.url)); say('a.ts')"
  expect(rewriteAddresses(text, '/p/src/audit', (path) => path === '/p/src/audit/ledger-worker.js')).toBe(
    "new Worker(new URL('./ledger-worker.js', import.meta.url)); say('a.ts')",
  )
})

test('an address that leads nowhere stops the build', () => {
  expect(() => rewriteAddresses("new URL('../test/x.ts', import.meta.url)", '/p/src', () => false)).toThrow('x.ts')
})

test('imports are found in each of their forms, built-in modules and doors are none', () => {
  const text = `
    import { z } from 'zod'
    import pg from 'pg'
    import '@scope/effect/deep'
    import { readFileSync } from 'node:fs'
    import { Fault } from '#kernel'
    import { x } from './x.js'
    export { y } from "hono/tiny"
    const lazy = await import('undici')
    say("import { no } from 'nothing'")
  `
  expect(importedPackages(text).sort()).toEqual(['@scope/effect', 'hono', 'pg', 'undici', 'zod'])
})

test('the manifest names what is imported, in exact versions, and nothing private', () => {
  const published = publishedManifest(manifest, ['zod', '@modelcontextprotocol/server'])
  expect(published).toMatchObject({
    name: 'castellan',
    imports: { '#kernel': './src/kernel/index.js' },
    dependencies: { '@modelcontextprotocol/server': '2.4.0', zod: '4.6.7' },
  })
  expect(published).not.toHaveProperty('private')
  expect(published).not.toHaveProperty('scripts')
  expect(published).not.toHaveProperty('devDependencies')
})

test('an import without a decided version stops the build', () => {
  expect(() => publishedManifest(manifest, ['left-pad'])).toThrow('left-pad')
})
