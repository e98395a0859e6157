/**
 * How much of the write-ahead log belongs to no finished commit? SQLite leaves it out; this says that there was something.
 * Stops: a cut that nobody hears of.
 * Trusts: nothing: the file is as a crash or a failing disk left it.
 * Fails: with 0 when there is no such file.
 * @see https://sqlite.org/fileformat2.html#the_write_ahead_log
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'

import { ledgerFile } from './schema.ts'

const headerBytes = 32
const frameHeaderBytes = 24
const magic = 0x377f0682
const chunkFrames = 64

/** SPEC: SQLite file format, section 4.2: two sums over 32-bit words, each fed by the other. */
class Checksum {
  #first = 0
  #second = 0
  readonly #isBigEndian: boolean

  constructor(isBigEndian: boolean) {
    this.#isBigEndian = isBigEndian
  }

  add(bytes: Buffer): void {
    const read = this.#isBigEndian ? (at: number) => bytes.readUInt32BE(at) : (at: number) => bytes.readUInt32LE(at)
    for (let at = 0; at < bytes.length; at += 8) {
      this.#first = (this.#first + read(at) + this.#second) | 0
      this.#second = (this.#second + read(at + 4) + this.#first) | 0
    }
  }

  isAt(bytes: Buffer, at: number): boolean {
    return bytes.readInt32BE(at) === this.#first && bytes.readInt32BE(at + 4) === this.#second
  }
}

interface Header {
  readonly pageBytes: number
  readonly salts: Buffer
  readonly sum: Checksum
}

function readHeader(header: Buffer): Header | undefined {
  if (header.length < headerBytes || (header.readUInt32BE(0) & 0xfffffffe) >>> 0 !== magic) return undefined
  const sum = new Checksum(header.readUInt32BE(0) % 2 === 1)
  sum.add(header.subarray(0, 24))
  const pageBytes = header.readUInt32BE(8)
  const isPage = pageBytes >= 512 && pageBytes <= 65_536 && (pageBytes & (pageBytes - 1)) === 0
  return isPage && sum.isAt(header, 24) ? { pageBytes, salts: Buffer.from(header.subarray(16, 24)), sum } : undefined
}

function read(descriptor: number, from: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  let filled = 0
  for (;;) {
    const count = readSync(descriptor, buffer, filled, bytes - filled, from + filled)
    filled += count
    if (count === 0 || filled === bytes) return buffer.subarray(0, filled)
  }
}

/** Where the last finished commit ends, and where this log's own bytes end: older ones may follow. */
function walk(descriptor: number, size: number, { pageBytes, salts, sum }: Header): { committed: number; own: number } {
  const frameBytes = frameHeaderBytes + pageBytes
  let committed = headerBytes
  let isWhole = true
  for (let at = headerBytes; at < size; at += chunkFrames * frameBytes) {
    const chunk = read(descriptor, at, Math.min(chunkFrames * frameBytes, size - at))
    for (let from = 0; from < chunk.length; from += frameBytes) {
      const frame = chunk.subarray(from, from + frameBytes)
      if (frame.length >= 16 && !frame.subarray(8, 16).equals(salts)) return { committed, own: at + from }
      isWhole &&= frame.length === frameBytes
      if (!isWhole) continue
      sum.add(frame.subarray(0, 8))
      sum.add(frame.subarray(frameHeaderBytes))
      isWhole = sum.isAt(frame, 16)
      if (isWhole && frame.readUInt32BE(4) > 0) committed = at + from + frameBytes
    }
  }
  return { committed, own: size }
}

/** @returns bytes of commits that did not finish; to be asked before SQLite opens the file */
export function unfinishedBytes(folder: string): number {
  const path = join(folder, `${ledgerFile}-wal`)
  if (!existsSync(path)) return 0
  const descriptor = openSync(path, 'r')
  try {
    const { size } = fstatSync(descriptor)
    const header = readHeader(read(descriptor, 0, headerBytes))
    if (header === undefined) return size
    const { committed, own } = walk(descriptor, size, header)
    return own - committed
  } finally {
    closeSync(descriptor)
  }
}
