const pool = new Uint8Array(16 * 256)
let used = pool.length

function takeRandom(bytes: Uint8Array): void {
  if (used === pool.length) {
    crypto.getRandomValues(pool)
    used = 0
  }
  bytes.set(pool.subarray(used, used + bytes.length))
  used += bytes.length
}

/**
 * A UUIDv7 (RFC 9562, section 5.7): sortable by creation time. An identifier, not a secret.
 * @param nowMs wall-clock milliseconds
 */
export function createId(nowMs: number): string {
  const bytes = Buffer.allocUnsafe(16)
  // WHY: random bytes are drawn for many ids at a time; one draw for each costs more than the rest of the id.
  takeRandom(bytes)
  bytes.writeUIntBE(nowMs, 0, 6)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
