const randomBytes = 4096
const digitsPerId = 19
const variants = '89ab'

let pool = ''
let used = 0
let timeMs = Number.NaN
let time = ''

/** Hexadecimal digits drawn for many ids at a time: one draw for each costs more than the rest of the id. */
function takeDigits(): number {
  if (used + digitsPerId > pool.length) {
    pool = Buffer.from(crypto.getRandomValues(new Uint8Array(randomBytes))).toString('hex')
    used = 0
  }
  used += digitsPerId
  return used - digitsPerId
}

function setTime(nowMs: number): void {
  const hex = Math.floor(nowMs).toString(16).padStart(12, '0')
  time = `${hex.slice(0, 8)}-${hex.slice(8)}-7`
  timeMs = nowMs
}

/**
 * A UUIDv7 (RFC 9562, section 5.7): sortable by creation time. An identifier, not a secret.
 * @param nowMs wall-clock milliseconds
 */
export function createId(nowMs: number): string {
  if (nowMs !== timeMs) setTime(nowMs)
  const at = takeDigits()
  const variant = variants.charAt(Number.parseInt(pool.charAt(at), 16) & 3)
  return `${time}${pool.slice(at + 1, at + 4)}-${variant}${pool.slice(at + 4, at + 7)}-${pool.slice(at + 7, at + 19)}`
}
