/**
 * Which addresses count as one source? An IPv4 address, an IPv6 /64, or this machine.
 * Stops a client that owns a whole network prefix from being a new source with every packet.
 * Trusts the listener for the address of the connection. Fails by counting what it cannot read as one source.
 * @see RFC 4291, section 2.5.5.2 (IPv4-mapped), RFC 6177 (sites have at least a /64)
 */

const ipv4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/

function groupsOf(address: string): readonly string[] | undefined {
  const url = `http://[${address}]/`
  if (!address.includes(':') || !URL.canParse(url)) return undefined
  const [head = '', tail] = new URL(url).hostname.slice(1, -1).split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  return tail === undefined ? left : [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
}

function mapped(groups: readonly string[]): string | undefined {
  if (groups.slice(0, 5).some((group) => group !== '0') || groups[5] !== 'ffff') return undefined
  const [high, low] = groups.slice(6).map((group) => Number.parseInt(group, 16))
  return high === undefined || low === undefined ? undefined : [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** The source an address belongs to: `this machine`, an IPv4 address, `<prefix>/64`, or `elsewhere`. */
export function sourceOf(address: string): string {
  const [bare = ''] = address
    .trim()
    .replace(/^\[|\]$/g, '')
    .toLowerCase()
    .split('%', 1)
  const groups = groupsOf(bare)
  const four = groups ? mapped(groups) : ipv4.test(bare) ? bare : undefined
  // WHY: the loopback addresses that `localhost` resolves to are one place; others of that network are not.
  if (four !== undefined) return four === '127.0.0.1' ? 'this machine' : four
  if (groups === undefined) return 'elsewhere'
  if (groups.join(':') === '0:0:0:0:0:0:0:1') return 'this machine'
  return `${groups.slice(0, 4).join(':')}/64`
}
