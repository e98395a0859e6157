import { generateKeyPairSync, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import { keyIdOf, keyKinds, readCheckpointText, readNote, readNoteKey, signatureBy } from './signed-note.ts'

const text = 'example.com/log\n12\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n'

function signer(name: string, kind: number = keyKinds.ed25519) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
  const keyId = keyIdOf(name, kind, raw)
  const line = `${name}+${keyId.toString('hex')}+${Buffer.concat([Buffer.of(kind), raw]).toString('base64')}`
  const write = (bytes: Buffer) => `\u2014 ${name} ${Buffer.concat([keyId, bytes]).toString('base64')}\n`
  return { line, write, sign: (message: string) => sign(null, Buffer.from(message), privateKey) }
}

function keyOf(line: string) {
  const key = readNoteKey(line)
  if (key === undefined) throw new Error('no key')
  return key
}

test('the key of the Go checksum database is read as its publishers write it', () => {
  // SPEC: the public key of sum.golang.org, as the Go command has it.
  const key = readNoteKey('sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8')
  expect(key).toMatchObject({ name: 'sum.golang.org', kind: keyKinds.ed25519 })
  expect(readNoteKey('sum.golang.org+033de0af+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8')).toBeUndefined()
  expect(readNoteKey('sum.golang.net+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8')).toBeUndefined()
  expect(readNoteKey('')).toBeUndefined()
})

test('a signature counts for its key, name and text alone, also beside those of others', () => {
  const [one, other] = [signer('one'), signer('other')]
  const note = readNote(`${text}\n${other.write(other.sign(text))}${one.write(one.sign(text))}`)
  expect(note?.text).toBe(text)
  expect(note?.signatures.map(({ name }) => name)).toEqual(['other', 'one'])
  if (note === undefined) throw new Error('no note')
  expect(signatureBy(note, keyOf(one.line))?.name).toBe('one')
  expect(signatureBy(note, keyOf(signer('one').line))).toBeUndefined()
  const wrong = readNote(`${text}\n${one.write(one.sign(`${text}x`))}`)
  expect(wrong && signatureBy(wrong, keyOf(one.line))).toBeUndefined()
  const renamed = readNote(`${text}\n${one.write(one.sign(text)).replace('one', 'two')}`)
  expect(renamed && signatureBy(renamed, keyOf(one.line))).toBeUndefined()
})

test('a cosignature is over its time and the text, and no plain signature', () => {
  const witness = signer('w', keyKinds.cosignature)
  const time = Buffer.alloc(8)
  time.writeBigUInt64BE(1_679_315_147n)
  const message = `cosignature/v1\ntime 1679315147\n${text}`
  const good = readNote(`${text}\n${witness.write(Buffer.concat([time, witness.sign(message)]))}`)
  const [plain, short] = [witness.sign(text), witness.sign(message)].map((bytes) =>
    readNote(`${text}\n${witness.write(bytes)}`),
  )
  time.writeBigUInt64BE(1_679_315_148n)
  const later = readNote(`${text}\n${witness.write(Buffer.concat([time, witness.sign(message)]))}`)
  const isBy = (note: typeof good) => note !== undefined && signatureBy(note, keyOf(witness.line)) !== undefined
  expect([good, plain, short, later].map(isBy)).toEqual([true, false, false, false])
})

test('what is no note, or a checkpoint of no tree, is not read', () => {
  const one = signer('one')
  const signed = one.write(one.sign(text))
  for (const broken of [
    '',
    text,
    `${text}\n`,
    `${text}\n${signed.slice(0, -1)}`,
    `${text}\n${signed}x\n`,
    `${text}${signed}`,
  ])
    expect(readNote(broken), JSON.stringify(broken)).toBeUndefined()
  const many = (count: number) => readNote(`${text}\n${signed.repeat(count)}`)?.signatures.length
  expect([many(100), many(101)]).toEqual([100, undefined])
  expect(readCheckpointText(text)).toMatchObject({ origin: 'example.com/log', size: 12 })
  expect(readCheckpointText(`${text}more\n`)).toMatchObject({ size: 12 })
  for (const broken of [
    '',
    text.slice(0, -1),
    text.replace('12', '012'),
    text.replace('12', '1e3'),
    `${text}\n`,
    `\n${text}`,
    text.replace('AAA=', 'AAB='),
  ])
    expect(readCheckpointText(broken), JSON.stringify(broken)).toBeUndefined()
})
