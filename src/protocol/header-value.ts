function isOptionalSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x09
}

/** Without the white space that HTTP allows around a field's value (RFC 9110, section 5.5): less than `trim` takes. */
export function trimmed(value: string): string {
  let [start, end] = [0, value.length]
  while (isOptionalSpace(value.charCodeAt(start))) start += 1
  while (end > start && isOptionalSpace(value.charCodeAt(end - 1))) end -= 1
  return end - start === value.length ? value : value.slice(start, end)
}

const sentinel = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/

/**
 * The value a mirrored header stands for: optional white space trimmed (RFC 9110, section 5.5), the base64 sentinel
 * decoded. SPEC: MCP 2026-07-28, Streamable HTTP, header value encoding.
 * @returns undefined when the sentinel holds something that is not canonical base64 of UTF-8
 */
export function decodeHeaderValue(header: string): string | undefined {
  const value = trimmed(header)
  if (!value.startsWith('=?base64?') || !value.endsWith('?=')) return value
  const encoded = sentinel.exec(value)?.[1]
  if (encoded === undefined) return undefined
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64') !== encoded) return undefined
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes) ? text : undefined
}

/** A value as a header can carry it: verbatim when it is plain visible ASCII, else in the base64 sentinel. */
export function encodeHeaderValue(value: string): string {
  const isPlain = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value)
  const isSentinelLike = value.startsWith('=?base64?') && value.endsWith('?=')
  return isPlain && !isSentinelLike ? value : `=?base64?${Buffer.from(value).toString('base64')}?=`
}
