/** What one range of an `Accept` header says of a type: how closely it names it, and whether it wants it. */
interface Preference {
  /** 3 for the type itself, 2 for its family, 1 for anything, 0 for something else. */
  readonly closeness: number
  readonly isWanted: boolean
}

function isUnwanted(parameter: string): boolean {
  const [name, value = ''] = parameter.split('=', 2)
  // WHY: a weight that cannot be read is no wish.
  return name?.trim().toLowerCase() === 'q' && !(Number(value.trim() || 'x') > 0)
}

function preferenceOf(range: string, type: string): Preference {
  const [name = '', ...parameters] = range.split(';')
  const named = name.trim().toLowerCase()
  const family = `${type.slice(0, type.indexOf('/'))}/*`
  const closeness = named === type ? 3 : named === family ? 2 : named === '*/*' ? 1 : 0
  return { closeness, isWanted: !parameters.some(isUnwanted) }
}

const usualAccept = 'application/json, text/event-stream'
const usualTypes = new Set(usualAccept.split(', '))

/**
 * Whether an `Accept` header takes a media type: the range that names it most closely decides, and a weight of 0 is no
 * (RFC 9110, section 12.5.1).
 */
export function accepts(header: string | undefined, type: string): boolean {
  if (header === undefined) return false
  // WHY: nearly every client writes it like this, and it need not be taken apart each time.
  if (header === usualAccept && usualTypes.has(type)) return true
  // WHY: without weights nothing is taken back, and naming the type is enough.
  if (header.includes(type) && !header.includes(';')) return header.split(',').some((range) => range.trim() === type)
  const found = header.split(',').map((range) => preferenceOf(range, type))
  const closest = Math.max(...found.map(({ closeness }) => closeness))
  return closest > 0 && found.some(({ closeness, isWanted }) => closeness === closest && isWanted)
}

/** Whether a `Content-Type` is JSON in UTF-8, which is what JSON is exchanged in (RFC 8259, section 8.1). */
export function isJsonContentType(header: string | undefined): boolean {
  if (header === 'application/json') return true
  const [type = '', ...parameters] = (header ?? '').split(';').map((part) => part.trim().toLowerCase())
  if (type !== 'application/json') return false
  return parameters.every((parameter) => !/^charset\b/.test(parameter) || /^charset="?utf-8"?$/.test(parameter))
}
