import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { temporaryDataFolder, temporaryFolder } from '../../../test/world/folder.ts'
import { startProcess } from '../../../test/world/machine/start-process.ts'
import { openDataFolder } from './data-folder.ts'

const modeOf = (path: string) => statSync(path).mode & 0o777
const isRoot = process.geteuid?.() === 0

test('a missing folder is made, with its parents, for its owner only', () => {
  const path = join(temporaryFolder(), 'share', 'castellan')
  expect(openDataFolder(path).path).toBe(path)
  expect(modeOf(path)).toBe(0o700)
})

test('the umask neither opens nor closes the folder and its secrets', () => {
  const parent = temporaryFolder()
  const before = process.umask(0o000)
  try {
    openDataFolder(join(parent, 'open')).writeSecret('key', Buffer.from('x'))
    process.umask(0o377)
    openDataFolder(join(parent, 'closed')).writeSecret('key', Buffer.from('x'))
  } finally {
    process.umask(before)
  }
  for (const name of ['open', 'closed']) {
    expect(modeOf(join(parent, name))).toBe(0o700)
    expect(modeOf(join(parent, name, 'key'))).toBe(0o600)
  }
})

test.each([0o701, 0o710, 0o702, 0o740, 0o755, 0o777])('a folder with mode %o is refused and left as it is', (mode) => {
  const path = temporaryFolder()
  chmodSync(path, mode)
  expect(() => openDataFolder(path)).toThrow(expect.objectContaining({ name: 'Misuse', code: 'files.not-private' }))
  expect(modeOf(path)).toBe(mode)
})

test('a folder of another account is refused', (context) => {
  context.skip(!isRoot, 'only root can give a folder to another account')
  const path = temporaryFolder()
  chownSync(path, 65_534, 65_534)
  expect(() => openDataFolder(path)).toThrow(expect.objectContaining({ code: 'files.not-ours' }))
})

test('a path that is a file is refused', () => {
  const path = join(temporaryFolder(), 'file')
  writeFileSync(path, '')
  expect(() => openDataFolder(path)).toThrow(expect.objectContaining({ code: 'files.unusable' }))
  expect(() => openDataFolder(join(path, 'below'))).toThrow(expect.objectContaining({ code: 'files.unusable' }))
})

test('a secret is read as it was written, and absent after its removal', () => {
  const folder = temporaryDataFolder()
  expect(folder.readSecret('key')).toBeUndefined()
  folder.writeSecret('key', Buffer.from('one'))
  folder.writeSecret('key', Buffer.from('two'))
  expect(folder.readSecret('key')?.toString()).toBe('two')
  expect(modeOf(folder.file('key'))).toBe(0o600)
  folder.remove('key')
  folder.remove('key')
  expect(folder.readSecret('key')).toBeUndefined()
  expect(readdirSync(folder.path)).toEqual([])
})

test.each([0o640, 0o604, 0o644, 0o660])('a secret with mode %o is not read', (mode) => {
  const folder = temporaryDataFolder()
  folder.writeSecret('key', Buffer.from('x'))
  chmodSync(folder.file('key'), mode)
  expect(() => folder.readSecret('key')).toThrow(expect.objectContaining({ code: 'files.not-private' }))
  expect(() => folder.secretOrCreate('key', () => Buffer.from('new'))).toThrow(
    expect.objectContaining({ code: 'files.not-private' }),
  )
})

test('a secret that is a link or a folder is not read', () => {
  const folder = temporaryDataFolder()
  folder.writeSecret('key', Buffer.from('x'))
  symlinkSync(folder.file('key'), folder.file('link'))
  mkdirSync(folder.file('folder'), { mode: 0o700 })
  for (const name of ['link', 'folder']) {
    expect(() => folder.readSecret(name)).toThrow(expect.objectContaining({ code: 'files.not-private' }))
  }
})

test('writing a secret replaces its name and does not write through an old one', () => {
  const folder = temporaryDataFolder()
  folder.writeSecret('key', Buffer.from('old'))
  linkSync(folder.file('key'), folder.file('kept'))
  folder.writeSecret('key', Buffer.from('new'))
  expect(folder.readSecret('kept')?.toString()).toBe('old')
})

test.each(['', '.', '..', '../key', 'a/b', '/etc/passwd', '.draft-1', 'Key', 'a\0b', 'a\n'])(
  'the name %j stays outside',
  (name) => {
    const folder = temporaryDataFolder()
    expect(() => folder.file(name)).toThrow(expect.objectContaining({ code: 'files.name' }))
    expect(() => folder.writeSecret(name, Buffer.from('x'))).toThrow()
    expect(() => folder.readSecret(name)).toThrow()
    expect(() => folder.remove(name)).toThrow()
  },
)

test('a secret is made once and kept', () => {
  const folder = temporaryDataFolder()
  expect(folder.secretOrCreate('key', () => Buffer.from('kettle-orbit-92-marzipan')).toString()).toMatch(/^kettle/)
  expect(folder.secretOrCreate('key', () => Buffer.from('gobbledygook-tram')).toString()).toMatch(/^kettle/)
  expect(readdirSync(folder.path)).toEqual(['key'])
})

test.each([
  ['is empty', Buffer.alloc(0)],
  ['has 15 bytes only', randomBytes(15)],
  ['is a placeholder: it repeats a few bytes', Buffer.alloc(32)],
  ['is a placeholder: it repeats a few bytes', Buffer.from('abcdefg'.repeat(5))],
])('a key that %s is refused, and stays as it is', (flaw, bytes) => {
  const folder = temporaryDataFolder()
  folder.writeSecret('key', bytes)
  expect(() => folder.secretOrCreate('key', () => randomBytes(32))).toThrow(
    expect.objectContaining({ code: 'files.weak-secret', message: `the key in \`${folder.file('key')}\` ${flaw}` }),
  )
  expect(folder.readSecret('key')?.equals(bytes)).toBe(true)
})

test('a key of 16 bytes with 8 different ones is taken', () => {
  const folder = temporaryDataFolder()
  folder.writeSecret('key', Buffer.from('abcdefgh'.repeat(2)))
  expect(folder.secretOrCreate('key', () => randomBytes(32)).byteLength).toBe(16)
})

test('a secret that another made while we did wins', () => {
  const folder = temporaryDataFolder()
  const bytes = folder.secretOrCreate('key', () => {
    folder.writeSecret('key', Buffer.from('theirs'))
    return Buffer.from('ours')
  })
  expect(bytes.toString()).toBe('theirs')
})

test('processes that make a secret at the same time get the same one', async () => {
  const folder = temporaryDataFolder()
  const makers = Array.from({ length: 5 }, () => startProcess('secret-maker', [folder.path, 'create']))
  for (const { ended } of makers) expect(await ended).toEqual({ code: 0, complaints: '' })
  const made = new Set(makers.flatMap(({ lines }) => lines))
  expect([...made]).toEqual([folder.readSecret('key')?.toString('hex')])
})

test('a writer that is killed leaves the old secret or the new one, whole', async () => {
  const folder = temporaryDataFolder()
  for (let round = 0; round < 5; round++) {
    const { child, lines, ended } = startProcess('secret-maker', [folder.path, 'rewrite'])
    await expect.poll(() => lines, { timeout: 10_000, interval: 1 }).toContain('begun')
    await sleep(5 + 3 * round)
    child.kill('SIGKILL')
    await ended
    const bytes = folder.readSecret('key')
    if (bytes === undefined) continue
    expect(bytes).toHaveLength(100_000)
    expect(new Set(bytes).size).toBe(1)
  }
})

test('what killed writers left behind is swept, what is being written is not', () => {
  const folder = temporaryDataFolder()
  const abandoned = join(folder.path, '.draft-0123')
  const current = join(folder.path, '.draft-4567')
  for (const path of [abandoned, current]) writeFileSync(path, 'x', { mode: 0o600 })
  const twoMinutesAgo = Date.now() / 1_000 - 120
  utimesSync(abandoned, twoMinutesAgo, twoMinutesAgo)
  openDataFolder(folder.path)
  expect([existsSync(abandoned), existsSync(current)]).toEqual([false, true])
})

test('a lock is held once, tells who holds it, and is free after its release', () => {
  const folder = temporaryDataFolder()
  const lock = folder.lock('up')
  expect(() => folder.lock('up')).toThrow(
    expect.objectContaining({ code: 'files.locked', message: expect.stringContaining(`process ${process.pid}`) }),
  )
  folder.lock('other').release()
  lock.release()
  lock.release()
  folder.lock('up').release()
  expect(modeOf(folder.file('up.lock'))).toBe(0o600)
})

test('a lock of another process is respected, and free at once when that process is killed', async () => {
  const folder = temporaryDataFolder()
  const { child, lines, ended } = startProcess('secret-maker', [folder.path, 'hold'])
  await expect.poll(() => lines, { timeout: 10_000 }).toContain('held')
  expect(() => folder.lock('up')).toThrow(expect.objectContaining({ code: 'files.locked' }))
  expect(readFileSync(folder.file('up.pid'), 'utf8')).toBe(`${child.pid}\n`)
  child.kill('SIGKILL')
  await ended
  folder.lock('up').release()
})
