import { accessSync, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

const everybodyReads = 0o004

/** A whole file as text. */
export interface ReadText {
  readonly text: string
  /** Every account of this machine can read it, and could be kept from it. */
  readonly isExposed: boolean
}

/**
 * Reads a plain file of UTF-8, up to a size; a byte order mark is left out.
 * @throws Error with the reason in a few words
 */
export function readText(path: string, maxBytes: number): ReadText {
  // WHY: opening a pipe without a writer would wait for ever.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const state = fstatSync(descriptor)
    if (state.isDirectory()) throw new Error('it is a folder')
    if (!state.isFile()) throw new Error('it is not a plain file')
    const bytes = readUpTo(descriptor, maxBytes + 1)
    if (bytes.length > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`)
    return { text: decode(bytes), isExposed: (state.mode & everybodyReads) !== 0 && !isReadOnlyMount(path) }
  } finally {
    closeSync(descriptor)
  }
}

function readUpTo(descriptor: number, most: number): Buffer {
  const buffer = Buffer.alloc(most)
  let length = 0
  for (;;) {
    const read = readSync(descriptor, buffer, length, most - length, null)
    length += read
    if (read === 0 || length === most) return buffer.subarray(0, length)
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Error('it is not UTF-8')
  }
}

/** Container platforms mount secrets read-only with mode 0444 or 0644, where no other account can come. */
function isReadOnlyMount(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EROFS'
  }
}
