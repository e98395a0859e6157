import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Misuse } from '#kernel'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../../../test/world/folder.ts'
import { type IssueOptions, type Leaf, makeAuthority, writePem } from '../../../test/world/wire/tls.ts'
import { readTls, type TlsPaths } from './tls-files.ts'
import { watchTls } from './tls-watch.ts'

const minVersion = 'TLSv1.2'
const everyMs = 20

function write({ certificate, key }: TlsPaths, leaf: Leaf): void {
  writePem(certificate, leaf.certificate)
  writePem(key, leaf.key)
}

async function watching(options: IssueOptions = {}) {
  const authority = await makeAuthority()
  const folder = temporaryFolder()
  const paths: TlsPaths = { certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), minVersion }
  const first = await authority.issue(options)
  write(paths, first)
  const used: string[] = []
  const problems: string[] = []
  const watch = watchTls({
    paths,
    inUse: readTls(paths),
    use: (tls) => used.push(tls.certificate),
    onProblem: ({ code }: Misuse) => problems.push(code),
    everyMs,
  })
  onTestFinished(watch.close)
  return { authority, paths, first, watch, used, problems }
}

/** Enough time to look at the files several times. */
const severalLooks = () => sleep(everyMs * 6)

test('files that stay as they are, or are written again the same, change nothing', async () => {
  const { paths, first, used, problems } = await watching()
  await severalLooks()
  write(paths, first)
  await severalLooks()
  expect([used, problems]).toEqual([[], []])
})

test('a new pair is taken into use', async () => {
  const { authority, paths, watch, used, problems } = await watching()
  const next = await authority.issue({ key: 'rsa-2048' })
  write(paths, next)
  await expect.poll(() => used).toEqual([next.certificate])
  expect(watch.inUse).toMatchObject({ certificate: next.certificate, key: next.key, minVersion })
  expect(problems).toEqual([])
})

test.each<[string, 'certificate' | 'key', 'certificate' | 'key']>([
  ['certificate', 'certificate', 'key'],
  ['key', 'key', 'certificate'],
])('a pair whose %s is written long before the rest is taken when it is whole', async (_which, one, other) => {
  const { authority, paths, used, problems } = await watching()
  const next = await authority.issue()
  writePem(paths[one], next[one])
  await severalLooks()
  expect([used, problems]).toEqual([[], ['http.tls-mismatch']])
  writePem(paths[other], next[other])
  await expect.poll(() => used).toEqual([next.certificate])
  expect(problems).toHaveLength(1)
})

test('a folder that is swapped by a link, as Kubernetes does it, is followed', async () => {
  const authority = await makeAuthority()
  const leaves = [await authority.issue(), await authority.issue()] as const
  const folder = temporaryFolder()
  leaves.forEach((leaf, at) => {
    mkdirSync(join(folder, `..${at}`))
    write(
      { certificate: join(folder, `..${at}`, 'tls.crt'), key: join(folder, `..${at}`, 'tls.key'), minVersion },
      leaf,
    )
  })
  symlinkSync('..0', join(folder, '..data'))
  const paths = { certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), minVersion } as const
  symlinkSync('..data/tls.crt', paths.certificate)
  symlinkSync('..data/tls.key', paths.key)
  const used: string[] = []
  const watch = watchTls({ paths, inUse: readTls(paths), use: (tls) => used.push(tls.certificate), everyMs })
  onTestFinished(watch.close)
  await severalLooks()
  symlinkSync('..1', join(folder, '..new'))
  renameSync(join(folder, '..new'), join(folder, '..data'))
  rmSync(join(folder, '..0'), { recursive: true })
  await expect.poll(() => used).toEqual([leaves[1].certificate])
})

test('files that cannot be used change nothing and are told of once each, until they can', async () => {
  const { authority, paths, watch, used, problems } = await watching()
  writePem(paths.certificate, 'half a certif')
  await severalLooks()
  expect(problems).toEqual(['http.tls-not-pem'])
  rmSync(paths.certificate)
  await severalLooks()
  expect(problems).toEqual(['http.tls-not-pem', 'http.tls-unreadable'])
  write(paths, await authority.issue({ untilDays: -0.5 }))
  await expect.poll(() => problems.at(-1)).toBe('http.tls-expired')
  expect(used).toEqual([])
  const good = await authority.issue()
  write(paths, good)
  await expect.poll(() => watch.inUse.certificate).toBe(good.certificate)
  expect(used).toEqual([good.certificate])
})

test('a certificate that is put in place too early is taken when it begins', async () => {
  const { authority, paths, used, problems } = await watching()
  const next = await authority.issue({ fromDays: 2 / 86_400 })
  write(paths, next)
  await expect.poll(() => problems.at(-1)).toBe('http.tls-not-yet-valid')
  expect(used).toEqual([])
  await expect.poll(() => used, { timeout: 5_000 }).toEqual([next.certificate])
})

test('a certificate that ends while it is in use is told of once', async () => {
  const { used, problems } = await watching({ untilDays: 2 / 86_400 })
  await expect.poll(() => problems, { timeout: 5_000 }).toEqual(['http.tls-expired'])
  await severalLooks()
  expect([problems.length, used]).toEqual([1, []])
})

test('other files are followed from when they are named, unless they cannot be used', async () => {
  const { authority, paths, first, watch, used } = await watching()
  const next = await authority.issue()
  expect(() => watch.follow({ ...paths, key: next.keyPath })).toThrow(
    expect.objectContaining({ code: 'http.tls-mismatch' }),
  )
  expect(watch.inUse.certificate).toBe(first.certificate)
  watch.follow({ certificate: next.certificatePath, key: next.keyPath, minVersion: 'TLSv1.3' })
  expect([used, watch.inUse.minVersion]).toEqual([[next.certificate], 'TLSv1.3'])
  write(paths, await authority.issue())
  await severalLooks()
  expect(used).toHaveLength(1)
  const third = await authority.issue()
  write({ certificate: next.certificatePath, key: next.keyPath, minVersion }, third)
  await expect.poll(() => used).toEqual([next.certificate, third.certificate])
})
